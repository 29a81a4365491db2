#include "engine/ops/prefill_attention.h"

#include <algorithm>
#include <cassert>

namespace micius {
namespace {

// Runs of q heads that share both heads, of which a tile has room for one token's.
std::vector<PrefillCell> make_cells(const DecodeLayout& layout, std::uint32_t rows) {
  std::vector<PrefillCell> cells;
  for (std::uint32_t q = 0; q < layout.n_q; ++q) {
    const std::uint32_t k = q * layout.n_k / layout.n_q, v = q * layout.n_v / layout.n_q;
    if (cells.empty() || cells.back().k_head != k || cells.back().v_head != v || cells.back().heads == rows) {
      cells.push_back({q, 0, k, v});
    }
    ++cells.back().heads;
  }
  return cells;
}

std::uint32_t tile_tokens(const std::vector<PrefillCell>& cells, std::uint32_t rows) {
  std::uint32_t widest = 0;
  for (const PrefillCell& cell : cells) widest = std::max(widest, cell.heads);
  return rows / widest;
}

std::uint32_t pages_of(const PrefillTile& tile) {
  return tile.end > tile.begin ? (tile.end - 1) / kPrefillTokens - tile.begin / kPrefillTokens + 1 : 0;
}

// The split of a tile's pages: the `which`-th of `splits`.
PrefillTile split_tile(PrefillTile tile, std::uint32_t which, std::uint32_t splits) {
  const std::uint32_t first = tile.begin / kPrefillTokens, pages = pages_of(tile);
  const auto page = [&](std::uint32_t split) {
    return static_cast<std::uint32_t>(first + std::uint64_t{pages} * split / splits);
  };
  tile.begin = std::max(tile.begin, page(which) * kPrefillTokens);
  tile.end = std::min(tile.end, page(which + 1) * kPrefillTokens);
  tile.end = std::max(tile.begin, tile.end);
  return tile;
}

}  // namespace

void add_causal_tokens(const CausalTokens& causal, std::vector<PrefillToken>& tokens) {
  for (std::uint32_t t = 0; t < causal.tokens; ++t) {
    const std::uint32_t end = causal.first_position + t + 1;
    const std::uint32_t begin = causal.window > 0 && end > causal.window ? end - causal.window : 0;
    tokens.push_back({causal.first_row + t, begin, end});
  }
}

PrefillPlan prefill_plan(const DecodeLayout& layout, std::span<const PrefillToken> tokens,
                         std::span<const PrefillRun> runs, const PrefillTuning& tuning) {
  assert(tuning.warps > 0 && tuning.warps <= kPrefillWarps);
  const std::uint32_t rows = tuning.warps * kPrefillRows;
  PrefillPlan plan{make_cells(layout, rows), {}};
  const std::uint32_t most = tile_tokens(plan.cells, rows);
  for (const PrefillRun& run : runs) {
    for (std::uint32_t first = 0; first < run.tokens; first += most) {
      PrefillTile tile{run.first_token + first, std::min(most, run.tokens - first), run.first_page, 0, 0, 0};
      const auto seen = tokens.subspan(tile.first_token, tile.tokens);
      tile.begin = seen.front().begin;
      for (const PrefillToken& token : seen) {
        assert(token.begin < token.end);
        tile.begin = std::min(tile.begin, token.begin);
        tile.end = std::max(tile.end, token.end);
      }
      for (std::uint32_t split = 0; split < run.splits; ++split) {
        plan.tiles.push_back(split_tile(tile, split, run.splits));
        plan.tiles.back().first_out = run.first_out + split * run.tokens + first;
      }
    }
  }
  std::stable_sort(plan.tiles.begin(), plan.tiles.end(),
                   [](const PrefillTile& a, const PrefillTile& b) { return pages_of(a) > pages_of(b); });
  return plan;
}

std::uint32_t prefill_splits(const DecodeLayout& layout, std::uint32_t tokens, std::uint32_t positions,
                             const PrefillTuning& tuning, std::uint32_t blocks) {
  const std::uint32_t rows = tuning.warps * kPrefillRows;
  const std::vector<PrefillCell> cells = make_cells(layout, rows);
  const std::uint32_t most = tile_tokens(cells, rows), tiles = (tokens + most - 1) / most;
  const std::uint32_t wanted = blocks / std::max(1U, tiles * static_cast<std::uint32_t>(cells.size()));
  const std::uint32_t pages = (positions + kPrefillTokens - 1) / kPrefillTokens;
  return std::clamp(wanted, 1U, std::max(1U, pages));
}

}  // namespace micius
