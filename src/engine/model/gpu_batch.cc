#include "engine/model/gpu_batch.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"

namespace micius {
namespace {

constexpr std::size_t kAlignment = 16;

std::uint32_t count(std::size_t n) { return static_cast<std::uint32_t>(n); }

std::vector<std::size_t> windows_of(const ModelConfig& config) {
  std::vector<std::size_t> windows;
  for (std::size_t layer = 0; layer < config.layers; ++layer) {
    const std::size_t window = config.window_of(layer);
    if (std::find(windows.begin(), windows.end(), window) == windows.end()) windows.push_back(window);
  }
  return windows;
}

DecodeTuning tuning_for(const DecodeLayout& layout, const GpuFigures& figures) {
  if (const std::uint32_t bytes = PrefillShared(layout).bytes; bytes > figures.shared_bytes) {
    fail(ErrorCode::kUnsupported,
         "attention of heads of {}/{} dims needs {} bytes of shared memory; there are {}", layout.d_k,
         layout.d_v, bytes, figures.shared_bytes);
  }
  return decode_tuning(layout, figures.multiprocessors, figures.shared_bytes, figures.bulk);
}

}  // namespace

GpuBatch::GpuBatch(Device& device, const ModelConfig& config, const DecodeLayout& layout)
    : device_(device),
      layout_(layout),
      decode_tuning_(tuning_for(layout, device.figures())),
      layers_(config.layers),
      windows_(windows_of(config)),
      work_(windows_.size()) {}

void GpuBatch::begin(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted) {
  collect(slices);
  sending_.clear();
  ids_at_ = add<std::int32_t>(ids_);
  positions_at_ = add<std::int32_t>(positions_);
  wanted_at_ = add(wanted);
  slots_at_ = add<std::uint32_t>(slots_);
  table_at_ = add<std::uint32_t>(table_);
  const bool one_each =
      std::all_of(slices.begin(), slices.end(), [](const ForwardSlice& s) { return s.tokens.size() == 1; });
  for (std::size_t which = 0; which < windows_.size(); ++which) {
    one_each ? plan_decode(which) : plan_prefill(which);
  }
  sent_.assign(device_, sending_);
}

void GpuBatch::collect(std::span<const ForwardSlice> slices) {
  ids_.clear();
  positions_.clear();
  slots_.clear();
  table_.clear();
  sequences_.clear();
  positions_end_ = 0;
  for (const ForwardSlice& slice : slices) {
    const std::size_t first = slice.kv->length(), tokens = slice.tokens.size();
    slice.kv->extend(tokens);
    sequences_.push_back({count(table_.size()), count(ids_.size()), count(first), count(tokens)});
    for (const std::uint32_t block : slice.kv->blocks()) table_.push_back(count(block * layers_));
    ids_.insert(ids_.end(), slice.tokens.begin(), slice.tokens.end());
    const std::uint32_t* const pages = table_.data() + sequences_.back().first_page;
    for (std::size_t position = first; position < first + tokens; ++position) {
      positions_.push_back(static_cast<std::int32_t>(position));
      slots_.push_back(count(kPageTokens * pages[position / kPageTokens] + position % kPageTokens));
    }
    positions_end_ = std::max(positions_end_, first + tokens);
  }
}

template <typename T>
std::size_t GpuBatch::add(std::span<const T> values) {
  const std::size_t offset = (sending_.size() + kAlignment - 1) / kAlignment * kAlignment;
  sending_.resize(offset + values.size_bytes());
  if (!values.empty()) std::memcpy(sending_.data() + offset, values.data(), values.size_bytes());
  return offset;
}

void GpuBatch::plan_decode(std::size_t which) {
  std::vector<DecodeSequence> sequences;
  for (const Sequence& s : sequences_) {
    const std::uint32_t end = s.first_position + 1, window = count(windows_[which]);
    sequences.push_back({s.first_page, window > 0 && end > window ? end - window : 0, end});
  }
  const DecodePlan plan = decode_plan(layout_, sequences, decode_tuning_);
  Work& work = work_[which];
  work.segments = add<DecodeSegment>(plan.segments);
  const std::size_t partial_rows = std::size_t{plan.partials} * layout_.most_q;
  partials_.reserve(device_, partial_rows * layout_.v_tiles * 16);
  sums_.reserve(device_, 2 * partial_rows);
  if (tickets_.size() < plan.items)
    tickets_ = DeviceArray<std::uint32_t>(
        device_, std::span<const std::uint32_t>(std::vector<std::uint32_t>(plan.items)));
  DecodeArgs args;
  args.layout = layout_;
  args.tuning = decode_tuning_;
  work.launch = DecodeLaunch{args, plan.blocks};
}

void GpuBatch::plan_prefill(std::size_t which) {
  const PrefillTuning tuning;
  std::vector<PrefillToken> tokens;
  std::vector<PrefillRun> runs;
  for (const Sequence& s : sequences_) {
    runs.push_back({s.first_page, s.first_row, s.tokens, s.first_row, 1});
    add_causal_tokens({s.first_row, s.tokens, s.first_position, count(windows_[which])}, tokens);
  }
  const PrefillPlan plan = prefill_plan(layout_, tokens, runs, tuning);
  Work& work = work_[which];
  work.tokens = add<PrefillToken>(tokens);
  work.cells = add<PrefillCell>(plan.cells);
  work.tiles = add<PrefillTile>(plan.tiles);
  PrefillArgs args;
  args.layout = layout_;
  args.tuning = tuning;
  args.cell_count = count(plan.cells.size());
  work.launch = PrefillLaunch{args, plan.blocks()};
}

Kernel GpuBatch::attention(std::size_t window, const float* q, const std::byte* pages, float* out) const {
  const auto found = std::find(windows_.begin(), windows_.end(), window);
  const Work& work = work_[static_cast<std::size_t>(found - windows_.begin())];
  if (const auto* decode = std::get_if<DecodeLaunch>(&work.launch)) {
    DecodeLaunch launch = *decode;
    launch.args.q = q;
    launch.args.pages = pages;
    launch.args.table = at<std::uint32_t>(table_at_);
    launch.args.segments = at<DecodeSegment>(work.segments);
    launch.args.out = out;
    launch.args.partials = partials_.data();
    launch.args.sums = sums_.data();
    launch.args.tickets = tickets_.data();
    return launch;
  }
  PrefillLaunch launch = std::get<PrefillLaunch>(work.launch);
  launch.args.q = q;
  launch.args.q_stride = layout_.n_q * layout_.d_k;
  launch.args.pages = pages;
  launch.args.table = at<std::uint32_t>(table_at_);
  launch.args.tokens = at<PrefillToken>(work.tokens);
  launch.args.cells = at<PrefillCell>(work.cells);
  launch.args.tiles = at<PrefillTile>(work.tiles);
  launch.args.out = out;
  return launch;
}

}  // namespace micius
