// Attention of many query tokens on a GPU: prompts, chunks of them, and tokens of many sequences that share a
// beginning. A query token names the positions that it sees, so that causal, windowed, full and shared
// attention are one kernel.
//
// q heads that see the same K and the same V head are a cell. A block takes a tile of tokens for one cell: 16
// (token, q head) rows a warp, the rows of all warps seeing the same keys and values, which go through shared
// memory a page at a time (FlashAttention-2: Dao, 2023). Prompts are bound by arithmetic, so what counts is
// that rows are full, not that a super-group is read once.
//
// Where there are too few tiles for the GPU, as with a shared beginning, a tile's positions are split, and
// a merge sums up (Hydragen: Juravsky et al., 2024; Cascade inference: Ye et al., 2024).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/ops/decode_attention.h"

namespace micius {

inline constexpr std::uint32_t kPrefillRows = 16;                          // of a warp
inline constexpr std::uint32_t kPrefillWarps = 8;                          // of a block at most
inline constexpr std::uint32_t kPrefillStages = 3;                         // pages under way or in use
inline constexpr std::uint32_t kPrefillTokens = kPageParts * kPartTokens;  // of a page

// A query token: its row in q, and the positions begin to end - 1 that it sees, its own among them.
struct PrefillToken {
  std::uint32_t row = 0, begin = 0, end = 0;
};

// Adds `tokens` new tokens of one sequence, the first at `first_position`, whose rows of q follow
// `first_row`. They see what is before them and themselves; with a window, so many positions at most (0:
// all).
struct CausalTokens {
  std::uint32_t first_row = 0, tokens = 0, first_position = 0, window = 0;
};
void add_causal_tokens(const CausalTokens& causal, std::vector<PrefillToken>& tokens);

// Tokens that see positions of one list of pages. Their results go to rows of their own that follow each
// other: token t of split s to row first_out + s * tokens + t.
struct PrefillRun {
  std::uint32_t first_page = 0;  // where its page numbers begin in the list of them
  std::uint32_t first_token = 0, tokens = 0;
  std::uint32_t first_out = 0;
  std::uint32_t splits = 1;  // 1: the results are whole
};

struct PrefillTuning {
  std::uint32_t warps = 4;  // 1 to kPrefillWarps
  bool operator==(const PrefillTuning&) const = default;
};

struct PrefillCell {
  std::uint32_t first_q = 0, heads = 0;
  std::uint32_t k_head = 0, v_head = 0;
};

// What a block does, for one cell: positions begin to end - 1, at most, of a run of tokens. With begin = end
// its results are those of nothing seen.
struct PrefillTile {
  std::uint32_t first_token = 0, tokens = 0;
  std::uint32_t first_page = 0, begin = 0, end = 0;
  std::uint32_t first_out = 0;
};

struct PrefillPlan {
  std::vector<PrefillCell> cells;
  std::vector<PrefillTile> tiles;  // those that take long first
  std::uint32_t blocks() const { return static_cast<std::uint32_t>(cells.size() * tiles.size()); }
};

// Every token must see at least one position.
PrefillPlan prefill_plan(const DecodeLayout& layout, std::span<const PrefillToken> tokens,
                         std::span<const PrefillRun> runs, const PrefillTuning& tuning);

// Splits for a run of `tokens` tokens that all see `positions`, so that `blocks` blocks have work, none with
// less than a page.
std::uint32_t prefill_splits(const DecodeLayout& layout, std::uint32_t tokens, std::uint32_t positions,
                             const PrefillTuning& tuning, std::uint32_t blocks);

// All memory is the device's, but in the emulation; nothing is owned.
struct PrefillArgs {
  DecodeLayout layout;
  PrefillTuning tuning;
  std::uint32_t cell_count = 0;
  const float* q = nullptr;  // rows of [n_q, d_k], RoPE applied, not scaled; q_stride floats apart
  std::uint32_t q_stride = 0;
  const std::byte* pages = nullptr;      // [page number][page_bytes]
  const std::uint32_t* table = nullptr;  // page numbers of all runs
  const PrefillToken* tokens = nullptr;
  const PrefillCell* cells = nullptr;
  const PrefillTile* tiles = nullptr;
  float* out = nullptr;  // [out rows, n_q, d_v]; 0 where nothing was seen
  float* lse = nullptr;  // [out rows, n_q], of the scaled scores; -infinity likewise. Null: not wanted
  bool operator==(const PrefillArgs&) const = default;
};

// The shared memory of a block, in bytes from its start: stages of a page's K tile, then its V tile.
struct PrefillShared {
  explicit constexpr PrefillShared(const DecodeLayout& layout)
      : values(kPrefillTokens * layout.k_row()),
        stage(values + kPrefillTokens * layout.v_row()),
        bytes(kPrefillStages * stage) {}
  std::uint32_t values;  // of a stage
  std::uint32_t stage, bytes;
};

}  // namespace micius
