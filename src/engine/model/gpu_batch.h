// What the kernels of a batch are told of its tokens and sequences.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>
#include <vector>

#include "engine/device/device.h"
#include "engine/model/decoder.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/prefill_attention.h"

namespace micius {

// Page numbers are those of layer 0; layer l's pages are as many pages behind.
class GpuBatch {
 public:
  // Throws Error{kUnsupported} where the device has too little shared memory for the heads of `layout`.
  GpuBatch(Device& device, const ModelConfig& config, const DecodeLayout& layout);

  // Makes room in the caches of the slices for their tokens, and sends the device what is needed to run them.
  void begin(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted);

  std::uint32_t rows() const { return static_cast<std::uint32_t>(ids_.size()); }
  std::size_t positions_end() const { return positions_end_; }  // above all positions
  const std::int32_t* ids() const { return at<std::int32_t>(ids_at_); }
  const std::int32_t* positions() const { return at<std::int32_t>(positions_at_); }
  const std::int32_t* wanted() const { return at<std::int32_t>(wanted_at_); }
  const std::uint32_t* slots() const { return at<std::uint32_t>(slots_at_); }

  // Attention of a layer with this window, which one layer of the model has: from q, [rows, n_q, d_k], to
  // out, [rows, n_q, d_v]. pages: those of the layer.
  Kernel attention(std::size_t window, const float* q, const std::byte* pages, float* out) const;

 private:
  using Attention = std::variant<DecodeLaunch, PrefillLaunch>;

  void collect(std::span<const ForwardSlice> slices);
  void plan(std::size_t which);
  void plan_decode(std::size_t which);
  void plan_prefill(std::size_t which);
  template <typename T>
  std::size_t add(std::span<const T> values);
  template <typename T>
  const T* at(std::size_t offset) const {
    return reinterpret_cast<const T*>(sent_.data() + offset);
  }

  struct Sequence {
    std::uint32_t first_page, first_row, first_position, tokens;
  };
  // Where the parts of an attention's work are in what is sent.
  struct Work {
    std::size_t segments = 0, tokens = 0, cells = 0, tiles = 0;
    Attention launch;
  };

  Device& device_;
  DecodeLayout layout_;
  DecodeTuning decode_tuning_;
  std::size_t layers_;
  std::vector<std::size_t> windows_;  // that layers have
  std::vector<Work> work_;            // one a window

  std::vector<std::int32_t> ids_, positions_;
  std::vector<std::uint32_t> slots_, table_;
  std::vector<Sequence> sequences_;
  std::size_t positions_end_ = 0;
  std::vector<std::byte> sending_;
  DeviceArray<std::byte> sent_;
  std::size_t ids_at_ = 0, positions_at_ = 0, wanted_at_ = 0, slots_at_ = 0, table_at_ = 0;
  DeviceArray<float> partials_, sums_;  // of decode attention
  DeviceArray<std::uint32_t> tickets_;  // zeros between kernels
};

}  // namespace micius
