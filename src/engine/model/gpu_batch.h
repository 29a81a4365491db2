// What the kernels of a batch are told of its tokens and sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/device/device_parcel.h"
#include "engine/model/decoder.h"
#include "engine/model/gpu_attention.h"

namespace micius {

// Its rows are the tokens of the slices, in the order in which attention wants sequences
// (GpuAttention::plan). Page numbers are those of layer 0; layer l's pages are as many pages behind.
class GpuBatch {
 public:
  // Throws as GpuAttention's.
  GpuBatch(Device& device, const ModelConfig& config, const DecodeLayout& layout);
  GpuBatch(const GpuBatch&) = delete;
  GpuBatch& operator=(const GpuBatch&) = delete;

  // Makes room in the caches of the slices for their tokens, and sends the device what is needed to run them.
  // wanted: rows of the slices, one slice after the other.
  void begin(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted);

  std::uint32_t rows() const { return static_cast<std::uint32_t>(ids_.size()); }
  std::size_t positions_end() const { return positions_end_; }  // above all positions
  const std::int32_t* ids() const { return parcel_.at(ids_at_); }
  const std::int32_t* positions() const { return parcel_.at(positions_at_); }
  const std::int32_t* wanted() const { return parcel_.at(wanted_at_); }  // rows of the batch
  const std::uint32_t* slots() const { return parcel_.at(slots_at_); }

  // Adds the kernels of a layer's attention with this window, which one layer of the model has: from q,
  // [rows, n_q, d_k], to out, [rows, n_q, d_v]. pages: those of the layer.
  void add_attention(std::size_t window, const float* q, const std::byte* pages, float* out,
                     std::vector<Kernel>& kernels) const;

 private:
  void collect(std::span<const ForwardSlice> slices);
  void collect(const ForwardSlice& slice);

  Device& device_;
  std::size_t layers_;
  AttentionRoom room_;
  std::vector<GpuAttention> attentions_;  // one a window that layers have

  std::vector<std::int32_t> ids_, positions_;  // [rows]
  std::vector<std::uint32_t> slots_;           // [rows]
  std::vector<std::uint32_t> table_;
  std::vector<BatchSequence> sequences_;
  std::vector<std::int32_t> row_of_;  // a row of the slices in the batch
  std::size_t positions_end_ = 0;
  DeviceParcel parcel_;
  DeviceParcel::Part<std::int32_t> ids_at_, positions_at_, wanted_at_;
  DeviceParcel::Part<std::uint32_t> slots_at_, table_at_;
};

}  // namespace micius
