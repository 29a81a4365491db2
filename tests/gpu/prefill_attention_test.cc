#include "engine/ops/prefill_attention.h"

#include <cmath>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/op_fixture.h"
#include "gpu/attention_vectors.h"
#include "gpu/prefill_run.h"

namespace micius {
namespace {

using emulation::EmulatedLanes;

// A case's queries, a run for each sequence.
struct PrefillWork {
  std::vector<PrefillToken> tokens;
  std::vector<PrefillRun> runs;
  std::vector<std::uint32_t> merge_first{0}, merge_parts;
  std::uint32_t out_rows = 0;

  PrefillWork(const DecodeCase& c, const DecodeInputs& inputs, std::uint32_t splits) {
    for (std::uint32_t row = 0; row < c.queries.size(); ++row) {
      const DecodeSequence& seen = inputs.sequences[row];
      if (row == 0 || c.queries[row].sequence != c.queries[row - 1].sequence) {
        runs.push_back({seen.first_page, row, 0, row * splits, splits});
      }
      tokens.push_back({row, seen.begin, seen.end});
      ++runs.back().tokens;
    }
    for (const PrefillRun& run : runs) {
      for (std::uint32_t t = 0; t < run.tokens; ++t) {
        for (std::uint32_t split = 0; split < splits; ++split) {
          merge_parts.push_back(run.first_out + split * run.tokens + t);
        }
        merge_first.push_back(static_cast<std::uint32_t>(merge_parts.size()));
      }
    }
    out_rows = static_cast<std::uint32_t>(merge_parts.size());
  }
};

template <typename Lanes = EmulatedLanes>
DecodeResults prefill_emulated(const DecodeCase& c, const PrefillTuning& tuning, std::uint32_t splits) {
  const PagedCase paged(c);
  const DecodeInputs& inputs = paged.inputs();
  const PrefillWork work(c, inputs, splits);
  PartResults results(inputs.layout, work.out_rows);
  run_prefill<Lanes>(inputs, work.tokens, prefill_plan(inputs.layout, work.tokens, work.runs, tuning), tuning,
                     results);
  if (splits == 1) return {results.out, results.lse};
  return run_merge(inputs.layout, work.merge_first, work.merge_parts, results);
}

void check_emulated(const DecodeCase& c, const PrefillTuning& tuning, std::uint32_t splits) {
  INFO(c.name() << ", " << c.queries.size() << " new tokens, " << tuning.warps << " warps, " << splits
                << " splits");
  CHECK(wrong_results(prefill_emulated(c, tuning, splits), expected_results(c)) == 0);
}

DecodeCase with_window(DecodeCase c, std::size_t window) {
  c.window = window;
  return c;
}

TEST_CASE("prefill attention agrees with fp64 for uneven heads and dims") {
  const DType f16 = DType::kF16, bf16 = DType::kBF16;
  const DecodeCase cases[] = {
      random_chunk_case({32, 4, 16, 64, 64, 0}, f16, {90}, {20}, "sigma"),
      random_chunk_case({32, 16, 16, 64, 64, 0}, bf16, {70}, {9}, "std"),
      random_chunk_case({9, 2, 4, 16, 16, 0}, f16, {65, 20, 1}, {65, 3, 1}, "floor rule"),
      random_chunk_case({8, 4, 2, 32, 64, 0}, bf16, {66, 130}, {2, 40}, "more K heads"),
      random_chunk_case({12, 2, 3, 24, 40, 0}, f16, {33, 64}, {33, 64}, "padded dims"),
      random_chunk_case({5, 1, 2, 7, 5, 0}, f16, {50}, {50}, "odd dims"),
      random_chunk_case({56, 1, 1, 16, 32, 0}, f16, {70}, {7}, "more q heads than rows of a warp"),
      random_chunk_case({4, 4, 4, 128, 128, 0}, f16, {129}, {20}, "wide"),
      random_chunk_case({8, 1, 4, 64, 128, 0}, bf16, {17, 100}, {17, 5}, "wide V"),
      with_window(random_chunk_case({8, 2, 4, 32, 32, 0}, f16, {300, 63}, {40, 63}, "window"), 63),
      with_window(random_chunk_case({8, 2, 4, 32, 32, 0}, f16, {200, 65}, {70, 9}, "window"), 64),
      with_window(random_chunk_case({8, 2, 4, 32, 32, 0}, f16, {140, 7}, {30, 7}, "window"), 1),
  };
  std::uint32_t i = 0;
  for (const DecodeCase& c : cases) {
    ++i;
    check_emulated(c, {.warps = i % 4 + 1}, i % 3 + 1);
  }
}

TEST_CASE("prefill attention agrees with fp64 for random shapes") {
  Rng rng("prefill attention/shapes");
  for (int i = 0; i < 12; ++i) {
    static constexpr std::size_t kDims[][2] = {{16, 16}, {8, 16}, {16, 24}, {32, 32}, {32, 64}, {64, 64}};
    const auto& dims = kDims[rng.below(std::size(kDims))];
    const std::size_t n_q = 1 + rng.below(12), n_k = 1 + rng.below(n_q), n_v = 1 + rng.below(n_q);
    std::vector<std::size_t> lengths(1 + rng.below(3)), new_tokens;
    for (std::size_t& length : lengths) {
      length = 1 + rng.below(140);
      new_tokens.push_back(1 + rng.below(std::min<std::size_t>(length, 40)));
    }
    DecodeCase c = random_chunk_case({n_q, n_k, n_v, dims[0], dims[1], 0},
                                     rng.below(2) == 0 ? DType::kF16 : DType::kBF16, lengths, new_tokens,
                                     fmt::format("random {}", i));
    if (rng.below(3) == 0) c.window = 1 + rng.below(100);
    check_emulated(c, {.warps = static_cast<std::uint32_t>(1 + rng.below(5))},
                   static_cast<std::uint32_t>(1 + rng.below(4)));
  }
}

TEST_CASE("prefill attention agrees with the DiffQKV vectors") {
  for (const AttentionVector& vector : attention_vectors()) {
    INFO(vector.name);
    rounding_of(vector, expected_results(vector.c));
    check_emulated(vector.c, {.warps = 4}, 1);
  }
}

TEST_CASE("a row's prefill does not depend on the other rows of the call") {
  const DecodeCase all = random_chunk_case({8, 2, 4, 32, 32, 0}, DType::kF16, {150}, {60}, "rows");
  const DecodeResults together = prefill_emulated(all, {.warps = 4}, 1);
  DecodeCase last = all;
  last.queries = {all.queries.back()};
  const std::ptrdiff_t q_width = 8 * 32;
  last.q = {all.q.end() - q_width, all.q.end()};
  const DecodeResults alone = prefill_emulated(last, {.warps = 2}, 1);
  CHECK(std::vector<float>(together.out.end() - q_width, together.out.end()) == alone.out);
  CHECK(std::vector<float>(together.lse.end() - 8, together.lse.end()) == alone.lse);
}

TEST_CASE("tiles of a prefill plan cover each token's positions once, the long ones first") {
  const DecodeLayout layout({12, 2, 3, 16, 16, 1}, DType::kF16);
  Rng rng("prefill attention/plans");
  for (int i = 0; i < 100; ++i) {
    std::vector<PrefillToken> tokens;
    std::vector<PrefillRun> runs;
    std::uint32_t rows = 0;
    for (std::uint64_t run = 1 + rng.below(3); run > 0; --run) {
      const auto count = static_cast<std::uint32_t>(1 + rng.below(90)),
                 splits = static_cast<std::uint32_t>(1 + rng.below(5));
      runs.push_back({0, static_cast<std::uint32_t>(tokens.size()), count, rows, splits});
      add_causal_tokens({0, count, static_cast<std::uint32_t>(rng.below(300)),
                         static_cast<std::uint32_t>(rng.below(2) * rng.below(200))},
                        tokens);
      rows += count * splits;
    }
    const PrefillPlan plan =
        prefill_plan(layout, tokens, runs, {.warps = static_cast<std::uint32_t>(1 + rng.below(8))});
    std::vector<std::uint32_t> seen(tokens.size()), written(rows);
    std::uint32_t pages = ~0U;
    for (const PrefillTile& tile : plan.tiles) {
      const std::uint32_t now = tile.begin < tile.end ? (tile.end - 1) / 64 - tile.begin / 64 + 1 : 0;
      CHECK(now <= pages);
      pages = now;
      for (std::uint32_t t = 0; t < tile.tokens; ++t) {
        const PrefillToken& token = tokens[tile.first_token + t];
        const std::uint32_t begin = std::max(tile.begin, token.begin), end = std::min(tile.end, token.end);
        seen[tile.first_token + t] += end > begin ? end - begin : 0;
        ++written.at(tile.first_out + t);
      }
    }
    for (std::size_t t = 0; t < tokens.size(); ++t) CHECK(seen[t] == tokens[t].end - tokens[t].begin);
    CHECK(std::all_of(written.begin(), written.end(), [](std::uint32_t n) { return n == 1; }));
  }
}

// ---- what the emulation must find in a kernel that is wrong

struct WithoutBarrier : EmulatedLanes {
  explicit WithoutBarrier(const EmulatedLanes& lanes) : EmulatedLanes(lanes) {}
  void sync_block() {}
};
struct WithoutWait : EmulatedLanes {
  explicit WithoutWait(const EmulatedLanes& lanes) : EmulatedLanes(lanes) {}
  template <int kGroups>
  void wait_copies() {}
};

TEST_CASE("prefill attention without its barrier is faulted for a race") {
  const DecodeCase c = random_chunk_case({8, 2, 4, 32, 32, 0}, DType::kF16, {300}, {60}, "race");
  CHECK_THROWS_WITH(prefill_emulated<WithoutBarrier>(c, {.warps = 4}, 1),
                    Catch::Matchers::Contains("before a copy to there has ended") ||
                        Catch::Matchers::Contains("which nobody has written") ||
                        Catch::Matchers::Contains("race: thread"));
  CHECK_THROWS_WITH(prefill_emulated<WithoutWait>(c, {.warps = 4}, 1),
                    Catch::Matchers::Contains("before a copy to there has ended"));
}

TEST_CASE("a token of a prefill that sees more pages than there are is faulted") {
  const DecodeCase c = random_chunk_case({8, 2, 4, 32, 32, 0}, DType::kF16, {100}, {10}, "bounds");
  const PagedCase paged(c);
  PrefillWork work(c, paged.inputs(), 1);
  work.tokens.back().end = 129;
  PartResults results(paged.inputs().layout, work.out_rows);
  const PrefillTuning tuning{.warps = 2};
  CHECK_THROWS_WITH(
      run_prefill(paged.inputs(), work.tokens,
                  prefill_plan(paged.inputs().layout, work.tokens, work.runs, tuning), tuning, results),
      Catch::Matchers::Contains("of global memory out of bounds"));
}

}  // namespace
}  // namespace micius
