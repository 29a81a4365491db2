#include "engine/model/gpu_attention.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/error.h"

namespace micius {
namespace {

constexpr std::size_t kScoreBytes = 64 << 20;  // of selective V's scores, kept at a time

std::uint32_t count(std::size_t n) { return static_cast<std::uint32_t>(n); }

// Of a part of one row's positions, of all heads: scores, and what is known of them.
std::size_t score_bytes(const DecodeLayout& layout) { return layout.n_q * (kPartTokens + 2) * sizeof(float); }

// That a row's positions may lie in.
std::size_t parts_of(std::size_t positions) { return positions / kPartTokens + 2; }

DecodeTuning tuning_for(const DecodeLayout& layout, const GpuFigures& figures) {
  if (const std::uint32_t bytes = PrefillShared(layout).bytes; bytes > figures.shared_bytes) {
    fail(ErrorCode::kUnsupported,
         "attention of heads of {}/{} dims needs {} bytes of shared memory; there are {}", layout.d_k,
         layout.d_v, bytes, figures.shared_bytes);
  }
  return decode_tuning(layout, figures.multiprocessors, figures.shared_bytes, figures.bulk);
}

// More than is asked for, so that a sequence's next tokens seldom need more.
template <typename T>
void reserve(Device& device, DeviceArray<T>& array, std::size_t values) {
  array.reserve(device, std::bit_ceil(values));
}

}  // namespace

AttentionRoomBytes attention_room_bytes(const DecodeLayout& layout, const GpuFigures& figures,
                                        const ValueSelection& selection, std::size_t positions) {
  const std::size_t blocks = figures.multiprocessors;
  // A block ends at most one item that another began, and begins one.
  const std::size_t partials = 2 * blocks * layout.most_q * (layout.v_tiles * 16 + 2) * sizeof(float);
  // A head's result with its log-sum-exp: of all blocks' tiles, of each token and what it shares.
  const std::size_t part = (layout.d_v + 1) * sizeof(float);
  const std::size_t tiles = blocks * PrefillTuning{}.warps * kPrefillRows * part;
  const std::size_t row_scores = std::bit_ceil(parts_of(positions)) * score_bytes(layout);
  const std::size_t scores = selection.top > 0 ? std::max(kScoreBytes, row_scores) : 0;
  constexpr std::size_t kRoomy = 2;  // reserve() takes up to that
  return {kRoomy * (partials + tiles) + scores, kRoomy * 2 * layout.n_q * part};
}

GpuAttention::GpuAttention(Device& device, const DecodeLayout& layout, std::size_t window,
                           AttentionRoom& room)
    : device_(device),
      layout_(layout),
      decode_tuning_(tuning_for(layout, device.figures())),
      window_(window),
      room_(room) {}

void GpuAttention::plan(std::span<const BatchSequence> sequences, std::span<const std::uint32_t> table,
                        DeviceParcel& parcel) {
  decode_.reset();
  shared_.reset();
  prefill_.reset();
  prefill_merge_.reset();
  selective_.clear();
  const auto selected = std::find_if(sequences.begin(), sequences.end(),
                                     [](const BatchSequence& s) { return s.selection.top > 0; });
  const auto many =
      std::find_if(sequences.begin(), selected, [](const BatchSequence& s) { return s.tokens > 1; });
  plan_decode({sequences.begin(), many}, table, parcel);
  plan_prefill({many, selected}, parcel);
  plan_selective({selected, sequences.end()}, parcel);
}

DecodeSequence GpuAttention::seen_by(const BatchSequence& sequence, std::uint32_t token) const {
  const std::uint32_t end = sequence.first_position + token + 1, window = count(window_);
  return {sequence.first_page, window > 0 && end > window ? end - window : 0, end};
}

void GpuAttention::plan_decode(std::span<const BatchSequence> sequences, std::span<const std::uint32_t> table,
                               DeviceParcel& parcel) {
  if (sequences.empty()) return;
  std::vector<DecodeSequence> rows;
  for (const BatchSequence& sequence : sequences) rows.push_back(seen_by(sequence, 0));
  const std::size_t least_pages = 2 * device_.figures().launch_bytes / layout_.page_bytes();
  const std::vector<SharedPrefix> prefixes = shared_prefixes(rows, table, least_pages);
  if (!prefixes.empty()) shared_ = share(prefixes, count(rows.size()), parcel);
  for (const SharedPrefix& prefix : prefixes) {
    for (const std::uint32_t row : prefix.rows) rows[row].begin = std::max(rows[row].begin, prefix.end);
  }
  const DecodePlan plan = decode_plan(layout_, rows, decode_tuning_);
  const std::size_t partial_rows = std::size_t{plan.partials} * layout_.most_q;
  reserve(device_, room_.partials, partial_rows * layout_.v_tiles * 16);
  reserve(device_, room_.sums, 2 * partial_rows);
  if (room_.tickets.size() < plan.items) {
    const std::vector<std::uint32_t> zeros(std::bit_ceil(plan.items));
    room_.tickets = DeviceArray<std::uint32_t>(device_, std::span(zeros));
  }
  decode_ = Decode{plan.blocks, parcel.add(plan.segments)};
}

GpuAttention::Shared GpuAttention::share(std::span<const SharedPrefix> prefixes, std::uint32_t rows,
                                         DeviceParcel& parcel) {
  const SharedPrefixPlan plan =
      shared_prefix_plan(layout_, prefixes, rows, prefill_tuning_, device_.figures().multiprocessors);
  reserve_parts(std::size_t{plan.first_suffix} + rows);
  return {send_prefill(plan.tokens, plan.prefixes, parcel),
          plan.first_suffix,
          {0, rows, parcel.add(plan.merge_first), parcel.add(plan.merge_parts)}};
}

void GpuAttention::reserve_parts(std::size_t rows) {
  reserve(device_, room_.part_out, rows * layout_.n_q * layout_.d_v);
  reserve(device_, room_.part_lse, rows * layout_.n_q);
}

// With one that is split all write parts.
void GpuAttention::plan_prefill(std::span<const BatchSequence> sequences, DeviceParcel& parcel) {
  if (sequences.empty()) return;
  std::vector<PrefillToken> tokens;
  std::vector<PrefillRun> runs;
  std::vector<std::uint32_t> first{0}, parts;  // of rows
  for (const BatchSequence& s : sequences) {
    runs.push_back(
        {s.first_page, count(tokens.size()), s.tokens, count(parts.size()), splits(s, sequences.size())});
    const PrefillRun& run = runs.back();
    add_causal_tokens({s.first_row, s.tokens, s.first_position, count(window_)}, tokens);
    for (std::uint32_t token = 0; token < s.tokens; ++token) {
      for (std::uint32_t split = 0; split < run.splits; ++split) {
        parts.push_back(run.first_out + split * s.tokens + token);
      }
      first.push_back(count(parts.size()));
    }
  }
  if (parts.size() > tokens.size()) {
    reserve_parts(parts.size());
    prefill_merge_ =
        Merge{sequences.front().first_row, count(tokens.size()), parcel.add(first), parcel.add(parts)};
  } else {
    for (std::size_t i = 0; i < runs.size(); ++i) runs[i].first_out = sequences[i].first_row;
  }
  prefill_ = send_prefill(tokens, prefill_plan(layout_, tokens, runs, prefill_tuning_), parcel);
}

// Of the positions that its tokens see, where reading them takes as long as two more kernels would.
std::uint32_t GpuAttention::splits(const BatchSequence& sequence, std::size_t sequences) const {
  const GpuFigures& figures = device_.figures();
  const std::uint32_t positions = seen_by(sequence, sequence.tokens - 1).end - seen_by(sequence, 0).begin;
  if (positions / kPageTokens * layout_.page_bytes() < 2 * figures.launch_bytes) return 1;
  return prefill_splits(layout_, sequence.tokens, positions, prefill_tuning_,
                        count(figures.multiprocessors / sequences));
}

GpuAttention::Prefill GpuAttention::send_prefill(std::span<const PrefillToken> tokens,
                                                 const PrefillPlan& plan, DeviceParcel& parcel) const {
  return {plan.blocks(), count(plan.cells.size()), parcel.add(tokens), parcel.add(plan.cells),
          parcel.add(plan.tiles)};
}

void GpuAttention::plan_selective(std::span<const BatchSequence> sequences, DeviceParcel& parcel) {
  const std::size_t most_parts = std::bit_floor(kScoreBytes / score_bytes(layout_));
  ValueSelection selection;
  std::vector<DecodeSequence> rows;  // of the next kernels
  std::size_t parts = 0;             // theirs at most
  const auto end_rows = [&](std::uint32_t next_row) {
    if (!rows.empty()) add_selective(selection, next_row - count(rows.size()), rows, parcel);
    rows.clear();
    parts = 0;
  };
  for (const BatchSequence& s : sequences) {
    for (std::uint32_t token = 0; token < s.tokens; ++token) {
      const DecodeSequence row = seen_by(s, token);
      const std::size_t more = parts_of(row.end - row.begin);
      if (selection != s.selection || parts + more > most_parts) end_rows(s.first_row + token);
      selection = s.selection;
      rows.push_back(row);
      parts += more;
    }
  }
  if (!sequences.empty()) end_rows(sequences.back().first_row + sequences.back().tokens);
}

void GpuAttention::add_selective(const ValueSelection& selection, std::uint32_t first_row,
                                 std::span<const DecodeSequence> rows, DeviceParcel& parcel) {
  const SelectivePlan plan = selective_plan(rows);
  const std::uint32_t parts = std::bit_ceil(plan.parts);
  room_.scores.reserve(device_, std::size_t{layout_.n_q} * parts * kPartTokens);
  room_.maxima.reserve(device_, std::size_t{layout_.n_q} * parts * 2);
  selective_.push_back({selection, first_row, count(rows.size()), count(plan.chunks.size()), parts,
                        roomy_parts(plan.most_parts), parcel.add(plan.chunks), parcel.add(plan.items)});
}

void GpuAttention::add_kernels(const AttentionMemory& memory, const DeviceParcel& parcel,
                               std::vector<Kernel>& kernels) const {
  if (shared_) {
    PrefillLaunch beginnings = prefill(shared_->beginnings, memory, parcel);
    beginnings.args.out = room_.part_out.data();
    beginnings.args.lse = room_.part_lse.data();
    const std::size_t first_head = std::size_t{shared_->first_suffix} * layout_.n_q;
    DecodeLaunch rest = decode(memory, parcel);
    rest.args.out = room_.part_out.data() + first_head * layout_.d_v;
    rest.args.lse = room_.part_lse.data() + first_head;
    kernels.insert(kernels.end(), {beginnings, rest, merge(shared_->merge, memory, parcel)});
  } else if (decode_) {
    kernels.emplace_back(decode(memory, parcel));
  }
  if (prefill_) {
    PrefillLaunch launch = prefill(*prefill_, memory, parcel);
    if (prefill_merge_) {
      launch.args.out = room_.part_out.data();
      launch.args.lse = room_.part_lse.data();
    }
    kernels.emplace_back(launch);
  }
  if (prefill_merge_) kernels.emplace_back(merge(*prefill_merge_, memory, parcel));
  for (const Selective& work : selective_) kernels.emplace_back(selective(work, memory, parcel));
}

MergeLaunch GpuAttention::merge(const Merge& work, const AttentionMemory& memory,
                                const DeviceParcel& parcel) const {
  const AttentionMergeArgs args{layout_.n_q,
                                layout_.d_v,
                                parcel.at(work.first),
                                parcel.at(work.parts),
                                room_.part_out.data(),
                                room_.part_lse.data(),
                                memory.out + std::size_t{work.first_row} * layout_.n_q * layout_.d_v};
  return {args, work.rows};
}

PrefillLaunch GpuAttention::prefill(const Prefill& work, const AttentionMemory& memory,
                                    const DeviceParcel& parcel) const {
  PrefillArgs args;
  args.layout = layout_;
  args.tuning = prefill_tuning_;
  args.cell_count = work.cell_count;
  args.q = memory.q;
  args.q_stride = layout_.n_q * layout_.d_k;
  args.pages = memory.pages;
  args.table = memory.table;
  args.tokens = parcel.at(work.tokens);
  args.cells = parcel.at(work.cells);
  args.tiles = parcel.at(work.tiles);
  args.out = memory.out;
  return {args, work.blocks};
}

DecodeLaunch GpuAttention::decode(const AttentionMemory& memory, const DeviceParcel& parcel) const {
  DecodeArgs args;
  args.layout = layout_;
  args.tuning = decode_tuning_;
  args.q = memory.q;
  args.pages = memory.pages;
  args.table = memory.table;
  args.segments = parcel.at(decode_->segments);
  args.out = memory.out;
  args.partials = room_.partials.data();
  args.sums = room_.sums.data();
  args.tickets = room_.tickets.data();
  return {args, decode_->blocks};
}

SelectiveLaunch GpuAttention::selective(const Selective& work, const AttentionMemory& memory,
                                        const DeviceParcel& parcel) const {
  SelectiveArgs args;
  args.layout = layout_;
  args.top = count(work.selection.top);
  args.weights = work.selection.weights;
  args.parts = work.parts;
  args.most_parts = work.most_parts;
  args.q = memory.q + std::size_t{work.first_row} * layout_.n_q * layout_.d_k;
  args.pages = memory.pages;
  args.table = memory.table;
  args.chunks = parcel.at(work.chunk_list);
  args.items = parcel.at(work.items);
  args.scores = room_.scores.data();
  args.maxima = room_.maxima.data();
  args.out = memory.out + std::size_t{work.first_row} * layout_.n_q * layout_.d_v;
  return {args, work.chunks, work.rows};
}

}  // namespace micius
