// A decoder on a GPU: the Transformer's pass by the kernels of a Device.
//
// The residual stream, norms, softmax and all sums are in fp32. A linear's inputs are two bf16 numbers each
// (`precise`) or one (`fast`), keys and values f16. A row's result moves by rounding alone with the rows
// beside it.
//
// A call lists its kernels before it starts the first: a step whose list is that of an earlier one is
// replayed (KernelReplay). So nothing is allocated while a list is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/device/device_rows.h"
#include "engine/device/kernel_replay.h"
#include "engine/model/decoder.h"
#include "engine/model/gpu_batch.h"
#include "engine/model/gpu_weights.h"
#include "engine/ops/rope.h"

namespace micius {

class GpuDecoder : public Decoder {
 public:
  // Borrows the device; `source` and `pool` are needed while it loads. Throws as read_gpu_weights does, and
  // before it reads a weight Error{kUnsupported} for Numerics::kFp32, and for heads and dims that no kernel
  // is built for.
  GpuDecoder(const ModelSource& source, const ModelConfig& config, Numerics numerics, Device& device,
             ThreadPool& pool);

  // The layout of the pages of its pools.
  static DecodeLayout kv_layout(const ModelConfig& config) { return {config.attention, DType::kF16}; }

  const ModelConfig& config() const override { return config_; }
  std::unique_ptr<KvPool> make_kv_pool(std::size_t budget_bytes) override;
  void forward(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted) override;
  void score(std::size_t first, std::span<const LogitPick> picks, std::span<LogitSummary> summaries,
             std::span<float> picked) override;
  void greedy(std::size_t first, std::span<std::optional<TokenId>> tokens) override;
  std::span<const float> logits(std::size_t first, std::size_t rows) override;
  std::size_t bytes() const override { return weights_.bytes(); }

 private:
  // A RopeTable and what of it the device has.
  struct Turns {
    RopeTable table;
    DeviceArray<float> sent;
  };

  void cover(Turns& turns);
  void make_room(std::size_t rows, std::size_t wanted);
  void attention(const GpuLayer& layer, std::size_t index);
  void augmented_q(const GpuLayer& layer, const BlockedRows& normed);
  void turn_heads(const float* x, std::size_t stride, float* out, std::size_t out_stride, std::size_t heads,
                  const DeviceArray<float>& norm, const Turns& turns);
  void keep_rows(std::size_t wanted);
  void feed_forward(const GpuLayer& layer);
  // For `reader`, as below.
  BlockedRows normed(const float* x, const DeviceArray<float>& weight, std::size_t rows,
                     const GpuMatrix& reader);
  void add_sublayer(const GpuMatrix& matrix, const BlockedRows& x, const DeviceArray<float>& norm);
  // y = x W^T.
  void apply(const GpuMatrix& matrix, const BlockedRows& x, const DeviceArray<float>& y,
             const float* bias = nullptr);
  std::vector<LogitPartial> summarise(std::size_t first, std::size_t rows, const std::uint32_t* pick_first);
  // Room for the inputs of the linear that is next.
  BlockedRows inputs_of(const GpuMatrix& reader, std::size_t rows);
  void add(RowKernel kernel) { kernels_.emplace_back(kernel); }
  void multiply(const LinearArgs& linear) { kernels_.push_back(linear_launch(linear)); }
  void run();  // what was added

  ModelConfig config_;
  Device& device_;
  DecodeLayout layout_;
  std::uint32_t planes_;
  GpuBatch batch_;
  GpuWeights weights_;
  Turns turns_, local_turns_;
  std::byte* pages_ = nullptr;  // of the pool

  KernelReplay replay_;
  std::vector<Kernel> kernels_;  // of the call

  // Of the batch being run.
  std::size_t rows_ = 0;
  float* x_ = nullptr;      // [rows, hidden]: the residual stream, in all_x_ or wanted_x_
  float* heads_ = nullptr;  // [rows, n_q * d_v]: attention's output, in all_heads_ or wanted_heads_
  DeviceArray<float> all_x_, all_heads_, wanted_x_, wanted_heads_;
  DeviceRows inputs_;            // of inputs_of()
  DeviceArray<float> qkv_, q_;   // as the layer's linears give them
  DeviceArray<float> turned_q_;  // [rows, n_q, d_k]
  DeviceArray<float> wide_, y_;  // of gated MLPs; what a sublayer adds, before its norm
  // Of score(), greedy() and logits().
  DeviceArray<float> logits_, picked_;
  DeviceArray<LogitPartial> partials_, summaries_;
  DeviceArray<std::uint32_t> pick_first_;
  DeviceArray<std::int32_t> pick_ids_;
  std::vector<float> host_logits_;
};

}  // namespace micius
