// A decoder on the CPU.
#pragma once

#include "engine/float_rows.h"
#include "engine/model/decoder.h"
#include "engine/model/transformer.h"

namespace micius {

// Results of a row are the same bits whatever the other rows, slices and threads are. Borrows the context.
class CpuDecoder : public Decoder {
 public:
  CpuDecoder(Transformer transformer, Numerics numerics, const OpContext& context);

  const ModelConfig& config() const override { return transformer_.config(); }
  std::unique_ptr<KvPool> make_kv_pool(std::size_t budget_bytes) override;
  void forward(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted) override;
  void score(std::size_t first, std::span<const LogitPick> picks, std::span<LogitSummary> summaries,
             std::span<float> picked) override;
  void greedy(std::size_t first, std::span<std::optional<TokenId>> tokens) override;
  std::span<const float> logits(std::size_t first, std::size_t rows) override;
  std::size_t bytes() const override { return transformer_.bytes(); }

 private:
  std::span<const float> hidden(std::size_t first, std::size_t rows) const;

  Transformer transformer_;
  Numerics numerics_;
  const OpContext& context_;
  std::span<const float> hidden_;  // [wanted, hidden]
  FloatRows logits_;
};

}  // namespace micius
