#include "engine/ops/decode_attention.h"

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "engine/quant.h"

namespace micius {
namespace {

constexpr std::uint32_t kStageBytes = 8 << 10;  // less is too little for the time that a stage takes
constexpr std::uint32_t kMostStages = 32;
constexpr std::uint32_t kMostRing = 80 << 10;   // of a block's stages; with more, q and results wait longer
constexpr std::uint32_t kSpareBlocks = 16;      // one in so many may be left out for equal work
constexpr std::uint32_t kBlockBytes = 1 << 10;  // of shared memory that a block takes beside its own
constexpr std::uint32_t kMostHeads = 1024;
constexpr std::uint32_t kMostWarps = 15;          // that calculate
constexpr std::uint32_t kMostQ = 8 * kMostWarps;  // of a super-group

std::uint16_t bits_of(float value, bool bf16) { return bf16 ? f32_to_bf16(value) : f32_to_f16(value); }

// Blocks that a plan of so many stages and items (a sequence's super-group each) is cut for.
std::uint32_t plan_blocks(const DecodeTuning& tuning, std::uint64_t stages, std::uint64_t items) {
  const std::uint64_t worth = (stages + tuning.least_stages - 1) / tuning.least_stages;
  const std::uint64_t blocks = std::min<std::uint64_t>(tuning.blocks, worth);
  const std::uint64_t over = blocks % std::max<std::uint64_t>(1, items);
  return static_cast<std::uint32_t>(over * kSpareBlocks <= blocks ? blocks - over : blocks);
}

// The item's segments, in the order of its tokens, are all there.
void end_item(DecodePlan& plan, std::span<const std::uint32_t> splits) {
  for (std::uint32_t i = 0; i < splits.size(); ++i) {
    DecodeSegment& segment = plan.segments[splits[i]];
    segment.splits = static_cast<std::uint32_t>(splits.size());
    segment.partial = segment.first + i;
  }
  if (splits.size() > 1) plan.partials += static_cast<std::uint32_t>(splits.size());
  ++plan.items;
}

}  // namespace

DecodeLayout::DecodeLayout(const AttentionShape& shape, DType dtype)
    : n_q(static_cast<std::uint32_t>(shape.n_q)),
      n_k(static_cast<std::uint32_t>(shape.n_k)),
      n_v(static_cast<std::uint32_t>(shape.n_v)),
      d_k(static_cast<std::uint32_t>(shape.d_k)),
      d_v(static_cast<std::uint32_t>(shape.d_v)),
      scale(shape.scale),
      bf16(dtype == DType::kBF16),
      groups(std::gcd(n_k, n_v)) {
  if (dtype != DType::kF16 && dtype != DType::kBF16) {
    fail(ErrorCode::kUnsupported, "keys and values of type {} on a GPU; use F16 or BF16", dtype_name(dtype));
  }
  if (n_q > kMostHeads || n_k == 0 || n_k > n_q || n_v == 0 || n_v > n_q || d_k == 0 || d_v == 0) {
    fail(
        ErrorCode::kUnsupported,
        "{} Q, {} K and {} V heads of {} and {} dims; there must be at most {} Q, and 1 to n_q K and V heads",
        n_q, n_k, n_v, d_k, d_v, kMostHeads);
  }
  const auto fraction = [](std::uint64_t x, std::uint64_t y) {
    return static_cast<std::uint32_t>(((x << 32) + y - 1) / y);
  };
  k_heads = n_k / groups;
  v_heads = n_v / groups;
  k_a_q = fraction(n_k, n_q);
  v_a_q = fraction(n_v, n_q);
  one_a_group = fraction(1, groups);
  for (std::uint32_t group = 0; group < groups; ++group) most_q = std::max(most_q, q_heads(group));
  if (most_q > kMostQ) {
    fail(ErrorCode::kUnsupported, "{} Q heads share K and V heads; attention on a GPU has at most {}", most_q,
         kMostQ);
  }
  const auto* tiles = std::find_if(std::begin(kDecodeTiles), std::end(kDecodeTiles), [&](const auto& pair) {
    return pair[0] * 16 >= d_k && pair[1] * 16 >= d_v;
  });
  if (tiles == std::end(kDecodeTiles)) {
    fail(ErrorCode::kUnsupported, "K and V heads of {} and {} dims; attention on a GPU has at most 128", d_k,
         d_v);
  }
  k_tiles = (*tiles)[0];
  v_tiles = (*tiles)[1];
  part_bytes = kPartTokens * (k_heads * k_row() + v_heads * v_row());
}

void store_decode_kv(const DecodeLayout& layout, std::byte* page, std::size_t slot, std::span<const float> k,
                     std::span<const float> v) {
  const auto store = [&](std::uint32_t group, std::uint32_t row, std::span<const float> values) {
    std::byte* part = page + group * layout.group_bytes() + slot / kPartTokens * layout.part_bytes;
    for (std::uint32_t i = 0; i < values.size(); ++i) {
      const std::uint16_t bits = bits_of(values[i], layout.bf16);
      std::memcpy(part + swizzled(row + 2 * i), &bits, sizeof bits);
    }
  };
  const auto token = static_cast<std::uint32_t>(slot % kPartTokens);
  for (std::uint32_t head = 0; head < layout.n_k; ++head) {
    store(head / layout.k_heads, layout.k_tile(head % layout.k_heads) + token * layout.k_row(),
          k.subspan(head * layout.d_k, layout.d_k));
  }
  for (std::uint32_t head = 0; head < layout.n_v; ++head) {
    store(head / layout.v_heads, layout.v_tile(head % layout.v_heads) + token * layout.v_row(),
          v.subspan(head * layout.d_v, layout.d_v));
  }
}

DecodeTuning decode_tuning(const DecodeLayout& layout, std::uint32_t blocks, std::uint32_t shared_bytes,
                           bool bulk) {
  const std::uint32_t tiles = layout.column_tiles();
  DecodeTuning tuning{.blocks = blocks, .bulk = bulk};
  while (tuning.parts < kPageParts && tuning.parts * layout.part_bytes < kStageBytes) tuning.parts *= 2;
  const auto bytes = [&] { return DecodeShared(layout, tuning, tiles).bytes; };
  const std::uint32_t half = shared_bytes / 2 - kBlockBytes;
  for (const std::uint32_t least : {2U, 1U}) {
    for (tuning.warps = bulk ? 4 : 8; tuning.warps > 0; tuning.warps /= 2) {
      if (tuning.warps * tiles > kMostWarps) continue;
      const std::uint32_t step = bulk ? tuning.warps : 1;
      const std::uint32_t room = std::min(kMostStages, kMostRing / (tuning.parts * layout.part_bytes));
      for (const std::uint32_t most : {bulk ? half : shared_bytes, shared_bytes}) {
        for (tuning.stages = bulk ? std::max(room / step, 2U) * step : 4;
             tuning.stages >= std::max(least, step); tuning.stages -= step) {
          if (bytes() <= most) return tuning;
        }
      }
    }
  }
  tuning.warps = tuning.stages = 1;
  fail(ErrorCode::kUnsupported,
       "attention of {}/{}/{} heads of {}/{} dims needs {} bytes of shared memory; there are {}", layout.n_q,
       layout.n_k, layout.n_v, layout.d_k, layout.d_v, bytes(), shared_bytes);
}

DecodePlan decode_plan(const DecodeLayout& layout, std::span<const DecodeSequence> sequences,
                       const DecodeTuning& tuning) {
  const std::uint32_t tokens = tuning.parts * kPartTokens;  // of a stage
  const auto stages_of = [&](const DecodeSequence& s) {
    return (s.end + tokens - 1) / tokens - s.begin / tokens;
  };
  std::uint64_t total = 0;
  for (const DecodeSequence& sequence : sequences)
    total += std::uint64_t{layout.groups} * stages_of(sequence);
  DecodePlan plan;
  plan.blocks = plan_blocks(tuning, total, sequences.size() * layout.groups);
  plan.segments.resize(plan.blocks);

  std::uint64_t stage = 0;  // of all
  std::uint32_t block = 0;
  std::uint32_t last = 0;  // segment of the block
  bool started = false;    // the block has a segment
  for (std::uint32_t s = 0; s < sequences.size(); ++s) {
    const DecodeSequence& sequence = sequences[s];
    for (std::uint32_t group = 0; group < layout.groups; ++group) {
      const std::uint64_t start = stage, stop = stage + stages_of(sequence);
      std::vector<std::uint32_t> splits;
      while (stage < stop) {
        const std::uint64_t block_end = total * (block + 1) / plan.blocks;
        const std::uint64_t end = std::min(stop, block_end);
        const auto token = [&](std::uint64_t at) {
          return (sequence.begin / tokens + static_cast<std::uint32_t>(at - start)) * tokens;
        };
        DecodeSegment segment{s,
                              group,
                              sequence.first_page,
                              std::max(sequence.begin, token(stage)),
                              std::min(sequence.end, token(end)),
                              plan.items,
                              0,
                              plan.partials,
                              plan.partials,
                              0};
        if (started) {
          plan.segments[last].next = static_cast<std::uint32_t>(plan.segments.size());
          last = plan.segments[last].next;
          plan.segments.push_back(segment);
        } else {
          last = block;
          plan.segments[block] = segment;
          started = true;
        }
        splits.push_back(last);
        stage = end;
        if (end == block_end) {
          ++block;
          started = false;
        }
      }
      end_item(plan, splits);
    }
  }
  return plan;
}

}  // namespace micius
