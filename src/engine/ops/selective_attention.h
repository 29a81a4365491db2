// Attention of one new token of each sequence with selective V (ValueSelection), for a GPU. Two kernels:
// the first scores all keys; the second, a block for each (sequence, q head), chooses positions and reads the
// values of these alone.
//
// Tokens stand in parts of 16, as in a page. Beside each score the first kernel leaves each part's largest.
// The `top` highest scores are in the `top` parts whose largest are the highest, since each of these has one
// that is at least as high as any in another part; so the second kernel chooses parts, then among their
// tokens, and never reads the other scores. Of equal scores the earlier position is taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/decode_attention.h"
#include "engine/ops/value_selection.h"

namespace micius {

inline constexpr std::uint32_t kScoreWarps = 4;   // of a block that scores
inline constexpr std::uint32_t kScoreStages = 4;  // parts under way or in use, of a warp
inline constexpr std::uint32_t kScoreParts = 32;  // that a block scores at most
inline constexpr std::uint32_t kSelectWarps = 8;  // of a block that chooses

// What a block scores, for one K head: `parts` parts of a sequence.
struct ScoreChunk {
  std::uint32_t sequence = 0, first_page = 0, begin = 0, end = 0;  // of the sequence
  std::uint32_t first_part = 0, parts = 0;                         // position / 16 of the first token
  std::uint32_t place = 0;                                         // of the first in the list of all parts
};
// A sequence for the blocks that choose; places of its parts follow each other.
struct SelectItem {
  std::uint32_t first_page = 0, begin = 0, end = 0;
  std::uint32_t place = 0;
};

struct SelectivePlan {
  std::vector<ScoreChunk> chunks;
  std::vector<SelectItem> items;  // one for each sequence
  std::uint32_t parts = 0;        // of all sequences
  std::uint32_t most_parts = 0;   // of one
};

// Every sequence must see at least one token.
SelectivePlan selective_plan(std::span<const DecodeSequence> sequences);

// All memory is the device's, but in the emulation; nothing is owned.
struct SelectiveArgs {
  DecodeLayout layout;
  std::uint32_t top = 0;  // at least 1; of more than a sequence has, all are taken
  SelectedWeights weights = SelectedWeights::kRenormalised;
  std::uint32_t parts = 0, most_parts = 0;  // the plan's, or more
  const float* q = nullptr;                 // [sequences, n_q, d_k], RoPE applied, not scaled
  const std::byte* pages = nullptr;         // [page number][page_bytes]
  const std::uint32_t* table = nullptr;     // page numbers of all sequences
  const ScoreChunk* chunks = nullptr;
  const SelectItem* items = nullptr;
  float* scores = nullptr;  // [n_q, parts, 16], scaled by log2(e) as well; -infinity where nothing is seen
  float* maxima = nullptr;  // [n_q, parts, 2]: the largest of a part, and the sum of 2^(score - largest)
  float* out = nullptr;     // [sequences, n_q, d_v]
  bool operator==(const SelectiveArgs&) const = default;
};

// The shared memory of the blocks that score.
constexpr std::uint32_t score_shared_bytes(const DecodeLayout& layout) {
  return kScoreWarps * kScoreStages * kPartTokens * layout.k_row();
}

// The shared memory of the blocks that choose, in bytes from its start.
struct SelectShared {
  constexpr SelectShared(const DecodeLayout& layout, std::uint32_t top, std::uint32_t most_parts)
      : parts(4 * most_parts),
        candidates(parts + 4 * chosen_parts(top, most_parts)),
        chosen(candidates + 4 * kPartTokens * chosen_parts(top, most_parts)),
        weights(chosen + 4 * chosen_tokens(top, most_parts)),
        sums((weights + 4 * chosen_tokens(top, most_parts) + 7) / 8 * 8),
        out(sums + 2 * 8 * kSelectWarps),
        bytes(out + 4 * kSelectWarps * 16 * layout.v_tiles) {}
  static constexpr std::uint32_t chosen_parts(std::uint32_t top, std::uint32_t most_parts) {
    return top < most_parts ? top : most_parts;
  }
  static constexpr std::uint32_t chosen_tokens(std::uint32_t top, std::uint32_t most_parts) {
    return top < kPartTokens * most_parts ? top : kPartTokens * most_parts;
  }

  std::uint32_t parts;       // chosen ones; before them, from 0 on, keys of all
  std::uint32_t candidates;  // keys of their tokens
  std::uint32_t chosen;      // candidates
  std::uint32_t weights;     // theirs
  std::uint32_t sums;        // [2, warps] of 8 bytes
  std::uint32_t out;         // [warps, 16 v_tiles]
  std::uint32_t bytes;
};

// As many parts, or a few more: the same number for most tokens of a sequence that grows.
constexpr std::uint32_t roomy_parts(std::uint32_t parts) { return (parts + 63) / 64 * 64; }

// Throws Error{kUnsupported} where choosing `top` of `positions` positions, in roomy_parts, needs more than
// `shared_bytes` of shared memory.
void check_selection(const DecodeLayout& layout, std::size_t top, std::size_t positions,
                     std::uint32_t shared_bytes);

}  // namespace micius
