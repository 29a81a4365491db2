// A BERT encoder on a GPU: the pass of CpuBert by the kernels of a Device.
//
// Weights and the inputs of linears are two bf16 numbers a value, 16 bits; keys and values are f16, all else
// is fp32. A row moves by rounding with the sequences beside it.
//
// The tokens of a batch lie one after the other, in rows and in pages of keys and values, whatever sequences
// they are of: each names the positions that it sees (PrefillToken), so nothing is padded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/device/device_parcel.h"
#include "engine/device/device_rows.h"
#include "engine/model/bert.h"
#include "engine/model/bert_weights.h"
#include "engine/model/gpu_split_matrix.h"
#include "engine/ops/prefill_attention.h"

namespace micius {

// Bytes of a GPU's memory, those of weights where the file has them in fp32; never too few.
struct GpuBertNeeds {
  std::size_t weights = 0, batch = 0;
};
GpuBertNeeds gpu_bert_needs(const BertConfig& config, std::size_t most_tokens);

class GpuBert : public Bert {
 public:
  // For batches of at most `most_tokens`, whose memory is taken here; borrows the device. Throws as
  // read_bert_weights() does, and before it reads a weight Error{kUnsupported} for widths and heads that no
  // kernel is built for, Error{kIo} with the numbers where the GPU has too little memory.
  GpuBert(const Safetensors& file, const BertConfig& config, std::size_t most_tokens, Device& device,
          ThreadPool& pool);

  void embed(std::span<const std::vector<TokenId>> sequences, std::span<float> rows) override;
  std::size_t bytes() const override { return weights_.bytes(); }

 private:
  using Vector = DeviceArray<float>;
  using Tensors = BertTensors<GpuSplitMatrix, Vector>;
  using Biased = BiasedLinear<GpuSplitMatrix, Vector>;
  using Layer = BertLayer<GpuSplitMatrix, Vector>;
  template <typename T>
  using Part = DeviceParcel::Part<T>;

  static Tensors read(const Safetensors& file, const BertConfig& config, std::size_t most_tokens,
                      Device& device, ThreadPool& pool);
  void begin(std::span<const std::vector<TokenId>> sequences);
  void attention(const Layer& layer);
  void feed_forward(const Layer& layer);
  void apply(const Biased& linear, const BlockedRows& x, LinearResult result, float* y);
  void normalise(const LayerNormWeights<Vector>& norm);
  BlockedRows inputs(std::size_t width);  // of the linear that is next

  BertConfig config_;
  Device& device_;
  DecodeLayout layout_;
  Tensors weights_;
  DeviceArray<float> words_;                    // [vocabulary, hidden]
  DeviceArray<std::uint32_t> numbers_;          // 0, 1, ..: slots of tokens, and numbers of pages
  DeviceArray<std::byte> pages_;                // a layer's keys and values
  DeviceArray<float> x_, qkv_, heads_, inner_;  // rows of most_tokens; heads_ takes the means in the end
  DeviceRows inputs_;

  // Of the batch being run.
  std::uint32_t rows_ = 0;
  DeviceParcel parcel_;
  Part<std::int32_t> ids_, positions_;
  Part<std::uint32_t> first_rows_;  // of the sequences, then the end
  Part<PrefillToken> tokens_;
  Part<PrefillCell> cells_;
  Part<PrefillTile> tiles_;
  std::uint32_t cell_count_ = 0, attention_blocks_ = 0;
};

}  // namespace micius
