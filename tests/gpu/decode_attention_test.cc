#include "engine/ops/decode_attention.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/gpu.h"
#include "engine/ops/decode_attention_gpu.h"
#include "gpu/attention_vectors.h"
#include "gpu/decode_cases.h"

namespace micius {
namespace {

using emulation::Arrival;

constexpr std::uint32_t kSharedBytes = 227 << 10;

// Runs a case and checks it, with no more than so many blocks.
using Check = std::function<void(const DecodeCase&, std::uint32_t blocks)>;

// On the emulation, with both ways to fetch.
void check_emulated(const DecodeCase& c, std::uint32_t blocks) {
  const PagedCase paged(c);
  const DecodeExpected expected = expected_results(c);
  for (const bool bulk : {true, false}) {
    const DecodeTuning tuning = decode_tuning(paged.inputs().layout, blocks, kSharedBytes, bulk);
    INFO(c.name() << (bulk ? ", bulk copies" : ", own copies"));
    const DecodeResults results =
        decode_emulated(paged.inputs(), tuning, blocks % 2 == 0 ? Arrival::kLate : Arrival::kEarly, c.name());
    CHECK(wrong_results(results, expected) == 0);
  }
}

// On a GPU, with all ways to fetch that it has; absent where there is none.
std::optional<Check> gpu_check() {
  const GpuSurvey survey = survey_gpus();
  if (survey.gpus.empty()) {
    WARN("skipped: " << survey.problem);
    return std::nullopt;
  }
  const GpuFigures figures = gpu_figures(survey.gpus.front().index);
  return [figures](const DecodeCase& c, std::uint32_t blocks) {
    const PagedCase paged(c);
    const DecodeExpected expected = expected_results(c);
    for (const bool bulk : {true, false}) {
      if (bulk && !figures.bulk) continue;
      const DecodeLayout& layout = paged.inputs().layout;
      const DecodeTuning least{.warps = 1, .parts = 1, .stages = 1, .bulk = bulk};
      if (DecodeShared(layout, least, layout.column_tiles()).bytes > figures.shared_bytes) {
        CHECK_THROWS_WITH(decode_tuning(layout, blocks, figures.shared_bytes, bulk),
                          Catch::Matchers::Contains("bytes of shared memory; there are"));
        continue;
      }
      DecodeTuning tuning = decode_tuning(layout, blocks, figures.shared_bytes, bulk);
      for (const bool overlap : {false, true}) {
        tuning.overlap = overlap && figures.bulk;
        INFO(c.name() << (bulk ? ", bulk copies" : ", own copies") << (overlap ? ", overlapped" : ""));
        CHECK(wrong_results(decode_on_gpu(paged.inputs(), tuning), expected) == 0);
      }
    }
  };
}

DecodeCase with_window(DecodeCase c, std::size_t window) {
  c.window = window;
  return c;
}

std::vector<DecodeCase> fixed_cases() {
  const DType f16 = DType::kF16, bf16 = DType::kBF16;
  return {
      random_decode_case({32, 4, 16, 64, 64, 0}, f16, {150}, "sigma"),
      random_decode_case({32, 16, 16, 64, 64, 0}, bf16, {70}, "std"),
      random_decode_case({9, 2, 4, 16, 16, 0}, f16, {65, 20, 1}, "floor rule"),
      random_decode_case({8, 4, 2, 32, 64, 0}, bf16, {66, 130}, "more K heads"),
      random_decode_case({12, 2, 3, 24, 40, 0}, f16, {33, 64}, "two tiles, padded dims"),
      random_decode_case({56, 1, 1, 16, 32, 0}, f16, {70}, "seven tiles"),
      random_decode_case({19, 16, 7, 64, 64, 0}, f16, {40}, "room for one stage"),
      random_decode_case({4, 4, 4, 128, 128, 0}, f16, {129}, "wide"),
      random_decode_case({8, 1, 4, 64, 128, 0}, bf16, {17, 200}, "wide V"),
      with_window(random_decode_case({8, 2, 4, 32, 32, 0}, f16, {300, 63, 64}, "window"), 63),
      with_window(random_decode_case({8, 2, 4, 32, 32, 0}, f16, {300, 63, 65}, "window"), 64),
      with_window(random_decode_case({8, 2, 4, 32, 32, 0}, f16, {300, 7}, "window"), 1),
  };
}

void check_fixed_cases(const Check& check) {
  std::uint32_t blocks = 1;
  for (const DecodeCase& c : fixed_cases()) check(c, blocks = blocks % 7 + 2);
}

void check_random_cases(const Check& check, int count, std::size_t longest) {
  Rng rng("decode attention/shapes");
  for (int i = 0; i < count; ++i) {
    static constexpr std::size_t kDims[][2] = {{16, 16}, {8, 16}, {16, 24}, {32, 32}, {32, 64}, {64, 64}};
    const auto& dims = kDims[rng.below(std::size(kDims))];
    const std::size_t n_q = 1 + rng.below(20), n_k = 1 + rng.below(n_q), n_v = 1 + rng.below(n_q);
    std::vector<std::size_t> lengths(1 + rng.below(3));
    for (std::size_t& length : lengths) length = 1 + rng.below(longest);
    DecodeCase c = random_decode_case({n_q, n_k, n_v, dims[0], dims[1], 0},
                                      rng.below(2) == 0 ? DType::kF16 : DType::kBF16, lengths,
                                      fmt::format("random {}", i));
    if (rng.below(3) == 0) c.window = 1 + rng.below(100);
    check(c, static_cast<std::uint32_t>(1 + rng.below(12)));
  }
}

TEST_CASE("decode attention agrees with fp64 for uneven heads and dims") {
  check_fixed_cases(check_emulated);
}

TEST_CASE("decode attention agrees with fp64 for random shapes") {
  check_random_cases(check_emulated, 24, 140);
}

TEST_CASE("decode attention on a GPU agrees with fp64 for uneven heads and dims") {
  if (const auto check = gpu_check()) check_fixed_cases(*check);
}

TEST_CASE("decode attention on a GPU agrees with fp64 for random shapes") {
  if (const auto check = gpu_check()) check_random_cases(*check, 100, 900);
}

TEST_CASE("decode attention on a GPU agrees with fp64 for long contexts") {
  const auto check = gpu_check();
  if (!check) return;
  for (const AttentionShape shape :
       {AttentionShape{32, 4, 16, 64, 64, 0}, AttentionShape{32, 16, 16, 64, 64, 0},
        AttentionShape{32, 4, 16, 128, 128, 0}, AttentionShape{8, 1, 4, 32, 64, 0}}) {
    (*check)(random_decode_case(shape, DType::kBF16, {4096, 1, 77, 2500}, "long"), 132);
    (*check)(random_decode_case(shape, DType::kF16, {4095}, "long"), 132);
  }
}

TEST_CASE("decode attention's results move by rounding alone when the work is split otherwise") {
  const DecodeCase c = random_decode_case({8, 1, 4, 32, 32, 0}, DType::kF16, {1100, 30}, "splits");
  const PagedCase paged(c);
  const DecodeExpected expected = expected_results(c);
  std::vector<DecodeResults> all;  // up to 69 splits: more than threads hold the sums of
  for (const std::uint32_t blocks : {1U, 2U, 5U, 33U, 100U}) {
    for (const std::uint32_t parts : {1U, 2U, 4U}) {
      const DecodeTuning tuning{
          .blocks = blocks, .warps = parts, .parts = parts, .stages = parts == 4 ? 4U : 6U, .bulk = true};
      INFO(blocks << " blocks, " << parts << " parts");
      all.push_back(decode_emulated(paged.inputs(), tuning, Arrival::kLate, "splits"));
      CHECK(wrong_results(all.back(), expected) == 0);
      // The order of the blocks, and of the copies, changes nothing but who sums up.
      const DecodeResults again = decode_emulated(paged.inputs(), tuning, Arrival::kEarly, "another order");
      CHECK(again.out == all.back().out);
      CHECK(again.lse == all.back().lse);
    }
  }
  double apart = 0;
  for (const DecodeResults& results : all) {
    for (std::size_t i = 0; i < results.lse.size(); ++i) {
      apart = std::max(apart, std::abs(double{results.lse[i]} - all.front().lse[i]));
    }
  }
  CHECK(apart < 1e-5);
}

// A warp that comes to a slot which another had the round before finds the parity of two rounds ago.
TEST_CASE("a ring whose slots change hands is faulted") {
  const DecodeCase c = random_decode_case({8, 1, 4, 32, 32, 0}, DType::kF16, {500}, "slots");
  const PagedCase paged(c);
  const DecodeTuning tuning{.blocks = 1, .warps = 2, .stages = 3, .bulk = true};
  CHECK_THROWS_WITH(decode_emulated(paged.inputs(), tuning, Arrival::kLate, "slots"),
                    Catch::Matchers::Contains("before a copy to there has ended"));
}

TEST_CASE("a page number that is out of bounds is faulted") {
  const DecodeCase c = random_decode_case({8, 1, 4, 32, 32, 0}, DType::kF16, {100}, "bounds");
  const PagedCase paged(c);
  DecodeInputs inputs = paged.inputs();
  const std::uint32_t table[] = {inputs.table[0], 6};
  inputs.table = table;
  for (const bool bulk : {true, false}) {
    CHECK_THROWS_WITH(
        decode_emulated(inputs, decode_tuning(inputs.layout, 2, kSharedBytes, bulk), Arrival::kLate, ""),
        Catch::Matchers::Contains("of global memory out of bounds"));
  }
}

TEST_CASE("a few blocks are left out where the others then have one item each") {
  const std::vector<DecodeSequence> sequences{{0, 0, 4096}};
  const auto blocks = [&](std::size_t heads, std::uint32_t most) {
    const DecodeLayout layout({heads, heads, heads, 16, 16, 1}, DType::kF16);
    return decode_plan(layout, sequences, {.blocks = most}).blocks;
  };
  CHECK(blocks(16, 132) == 128);
  CHECK(blocks(4, 132) == 132);
  CHECK(blocks(50, 132) == 132);
  CHECK(blocks(200, 132) == 132);
}

TEST_CASE("every token of a plan is seen once") {
  Rng rng("decode attention/plans");
  for (int i = 0; i < 200; ++i) {
    const std::size_t n_v = 1 + rng.below(6);
    const DecodeLayout layout({12, 1 + rng.below(4), n_v, 16, 16, 1}, DType::kF16);
    std::vector<DecodeSequence> sequences(1 + rng.below(5));
    for (DecodeSequence& s : sequences) {
      s.end = static_cast<std::uint32_t>(1 + rng.below(500));
      s.begin = static_cast<std::uint32_t>(rng.below(s.end));
    }
    const DecodeTuning tuning{.blocks = static_cast<std::uint32_t>(1 + rng.below(60)),
                              .parts = 1U << rng.below(3),
                              .least_stages = static_cast<std::uint32_t>(1 + rng.below(3))};
    const DecodePlan plan = decode_plan(layout, sequences, tuning);
    REQUIRE(plan.blocks <= tuning.blocks);
    std::vector<std::uint32_t> seen(sequences.size() * layout.groups);  // up to where, of each item
    for (std::size_t item = 0; item < seen.size(); ++item) seen[item] = sequences[item / layout.groups].begin;
    std::vector<int> used(plan.partials);
    for (std::uint32_t block = 0; block < plan.blocks; ++block) {
      for (std::uint32_t at = block;;) {
        const DecodeSegment& s = plan.segments[at];
        std::uint32_t& until = seen[s.sequence * layout.groups + s.group];
        CHECK(s.begin == until);
        CHECK(s.begin < s.end);
        CHECK(s.item == s.sequence * layout.groups + s.group);
        until = s.end;
        if (s.splits > 1) {
          ++used.at(s.partial);
          CHECK(s.partial - s.first < s.splits);
        }
        if (s.next == 0) break;
        at = s.next;
      }
    }
    for (std::size_t item = 0; item < seen.size(); ++item)
      CHECK(seen[item] == sequences[item / layout.groups].end);
    CHECK(std::all_of(used.begin(), used.end(), [](int n) { return n == 1; }));
  }
}

// Each row as a decode step: rows of one sequence see its pages up to places of their own.
void check_vectors(const Check& check) {
  for (const AttentionVector& vector : attention_vectors()) {
    INFO(vector.name);
    rounding_of(vector, expected_results(vector.c));
    check(vector.c, 5);
  }
}

TEST_CASE("decode attention agrees with the DiffQKV vectors") { check_vectors(check_emulated); }

TEST_CASE("decode attention on a GPU agrees with the DiffQKV vectors") {
  if (const auto check = gpu_check()) check_vectors(*check);
}

}  // namespace
}  // namespace micius
