#include "engine/model/gpu_batch.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace micius {
namespace {

std::uint32_t count(std::size_t n) { return static_cast<std::uint32_t>(n); }

// Where a slice stands among the others: in the order that GpuAttention::plan wants.
auto place_of(const ForwardSlice& slice) {
  const ValueSelection& selection = slice.selection;
  const bool selects = selection.top > 0;
  return std::tuple(selection.top, selects ? selection.weights : SelectedWeights{},
                    !selects && slice.tokens.size() > 1);
}

}  // namespace

GpuBatch::GpuBatch(Device& device, const ModelConfig& config, const DecodeLayout& layout)
    : device_(device), layers_(config.layers) {
  std::vector<std::size_t> windows;
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const std::size_t window = config.window_of(layer);
    if (std::find(windows.begin(), windows.end(), window) == windows.end()) windows.push_back(window);
  }
  for (const std::size_t window : windows) attentions_.emplace_back(device, layout, window, room_);
}

void GpuBatch::begin(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted) {
  collect(slices);
  std::vector<std::int32_t> wanted_rows;
  for (const std::int32_t row : wanted) wanted_rows.push_back(row_of_[static_cast<std::size_t>(row)]);
  parcel_.clear();
  ids_at_ = parcel_.add(ids_);
  positions_at_ = parcel_.add(positions_);
  wanted_at_ = parcel_.add(wanted_rows);
  slots_at_ = parcel_.add(slots_);
  table_at_ = parcel_.add(table_);
  for (GpuAttention& attention : attentions_) attention.plan(sequences_, table_, parcel_);
  parcel_.send(device_);
}

void GpuBatch::collect(std::span<const ForwardSlice> slices) {
  ids_.clear();
  positions_.clear();
  slots_.clear();
  table_.clear();
  sequences_.clear();
  positions_end_ = 0;
  std::vector<std::size_t> first_rows, order(slices.size());
  std::size_t rows = 0;
  for (const ForwardSlice& slice : slices) {
    first_rows.push_back(rows);
    rows += slice.tokens.size();
  }
  row_of_.resize(rows);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return place_of(slices[a]) < place_of(slices[b]); });
  for (const std::size_t i : order) {
    const auto first = row_of_.begin() + static_cast<std::ptrdiff_t>(first_rows[i]);
    std::iota(first, first + static_cast<std::ptrdiff_t>(slices[i].tokens.size()),
              static_cast<std::int32_t>(ids_.size()));
    collect(slices[i]);
  }
}

void GpuBatch::collect(const ForwardSlice& slice) {
  const std::size_t first = slice.kv->length(), tokens = slice.tokens.size();
  slice.kv->extend(tokens);
  sequences_.push_back(
      {count(table_.size()), count(ids_.size()), count(tokens), count(first), slice.selection});
  for (const std::uint32_t block : slice.kv->blocks()) table_.push_back(count(block * layers_));
  ids_.insert(ids_.end(), slice.tokens.begin(), slice.tokens.end());
  const std::uint32_t* const pages = table_.data() + sequences_.back().first_page;
  for (std::size_t position = first; position < first + tokens; ++position) {
    positions_.push_back(static_cast<std::int32_t>(position));
    slots_.push_back(count(kPageTokens * pages[position / kPageTokens] + position % kPageTokens));
  }
  positions_end_ = std::max(positions_end_, first + tokens);
}

void GpuBatch::add_attention(std::size_t window, const float* q, const std::byte* pages, float* out,
                             std::vector<Kernel>& kernels) const {
  const auto attention = std::find_if(attentions_.begin(), attentions_.end(),
                                      [&](const GpuAttention& a) { return a.window() == window; });
  attention->add_kernels({q, pages, parcel_.at(table_at_), out}, parcel_, kernels);
}

}  // namespace micius
