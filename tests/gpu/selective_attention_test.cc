#include "engine/ops/selective_attention.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <span>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/op_fixture.h"
#include "engine/ops/selective_scores_kernel.h"
#include "engine/ops/selective_values_kernel.h"
#include "gpu/attention_vectors.h"
#include "gpu/kernel_run.h"

namespace micius {
namespace {

using emulation::EmulatedLanes;

template <typename T, typename Lanes>
void run_kernels(const KernelRun& run, const SelectiveArgs& args, std::uint32_t chunks,
                 std::uint32_t sequences) {
  with_decode_tiles(args.layout, [&](auto k, auto v) {
    run.start({chunks * args.layout.n_k, 32 * kScoreWarps, score_shared_bytes(args.layout)},
              [&](EmulatedLanes& emulated) {
                Lanes lanes(emulated);
                score_keys<Lanes, T, int{decltype(k)::value}>(lanes, args);
              });
    const SelectShared shared(args.layout, args.top, args.most_parts);
    run.start({sequences * args.layout.n_q, 32 * kSelectWarps, shared.bytes}, [&](EmulatedLanes& emulated) {
      Lanes lanes(emulated);
      select_values<Lanes, T, int{decltype(v)::value}>(lanes, args);
    });
  });
}

template <typename Lanes = EmulatedLanes>
std::vector<float> selective_emulated(const DecodeCase& c, const ValueSelection& selection) {
  const PagedCase paged(c);
  const DecodeInputs& inputs = paged.inputs();
  const DecodeLayout& layout = inputs.layout;
  const SelectivePlan plan = selective_plan(inputs.sequences);
  const std::vector<float> q(inputs.q.begin(), inputs.q.end());
  const std::vector<std::uint32_t> table(inputs.table.begin(), inputs.table.end());
  const std::size_t parts = std::size_t{layout.n_q} * plan.parts;
  std::vector<float> scores(parts * kPartTokens, NAN), maxima(parts * 2, NAN);
  std::vector<float> out(inputs.sequences.size() * layout.n_q * layout.d_v, NAN);
  KernelRun run;
  const SelectiveArgs args{layout,
                           static_cast<std::uint32_t>(selection.top),
                           selection.weights,
                           plan.parts,
                           plan.most_parts,
                           run.in(q),
                           run.in(inputs.pages),
                           run.in(table),
                           run.in(plan.chunks),
                           run.in(plan.items),
                           run.out(scores),
                           run.out(maxima),
                           run.out(out)};
  const auto chunks = static_cast<std::uint32_t>(plan.chunks.size());
  const auto sequences = static_cast<std::uint32_t>(plan.items.size());
  layout.bf16 ? run_kernels<BF16, Lanes>(run, args, chunks, sequences)
              : run_kernels<F16, Lanes>(run, args, chunks, sequences);
  return out;
}

// What one q head of a query must give, in fp64.
struct SelectedHead {
  std::vector<double> out;
  double margin = 0;  // between the last score that is taken and the first that is not
};
SelectedHead expected_head(const DecodeCase& c, std::size_t query, std::size_t head,
                           const ValueSelection& selection) {
  const DecodeQuery& place = c.queries[query];
  const std::vector<double> scores = head_scores(c, query, head).scores;
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return scores[a] > scores[b]; });
  const std::size_t top = std::min(selection.top, order.size());
  SelectedHead result{std::vector<double>(c.shape.d_v), HUGE_VAL};
  if (top < order.size()) result.margin = scores[order[top - 1]] - scores[order[top]];
  double total = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const double weight = std::exp(scores[order[i]] - scores[order[0]]);
    if (i < top || selection.weights == SelectedWeights::kRaw) total += weight;
    if (i >= top) continue;
    for (std::size_t d = 0; d < c.shape.d_v; ++d) {
      result.out[d] += weight * stored_value(c, place.sequence, c.begin(place) + order[i], head, d);
    }
  }
  for (double& value : result.out) value /= total;
  return result;
}

// Heads that were checked, and those left out because two scores that are closer than their rounding may
// change places: few of them.
struct Checked {
  long heads = 0, close = 0;
};

void check_emulated(const DecodeCase& c, const ValueSelection& selection, Checked& checked) {
  INFO(c.name() << ", top " << selection.top << (selection.weights == SelectedWeights::kRaw ? ", raw" : ""));
  const std::vector<float> results = selective_emulated(c, selection);
  const DecodeExpected full = expected_results(c);
  double largest = 0;
  for (const float value : c.v) largest = std::max(largest, std::abs(double{value}));
  const double tolerance = largest * (4 * full.lse_tolerance + 1e-6);
  long wrong = 0;
  for (std::size_t row = 0; row < c.queries.size() * c.shape.n_q; ++row) {
    const SelectedHead expected = expected_head(c, row / c.shape.n_q, row % c.shape.n_q, selection);
    ++checked.heads;
    if (expected.margin < 2 * full.lse_tolerance) {
      ++checked.close;
      continue;
    }
    for (std::size_t d = 0; d < c.shape.d_v; ++d) {
      wrong += std::abs(results[row * c.shape.d_v + d] - expected.out[d]) <= tolerance ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

constexpr SelectedWeights kBoth[] = {SelectedWeights::kRenormalised, SelectedWeights::kRaw};

void check_cases(std::span<const DecodeCase> cases) {
  Checked checked;
  std::size_t i = 0;
  for (const DecodeCase& c : cases) {
    for (const std::size_t top : {std::size_t{1} + i * 5, std::size_t{100}}) {
      check_emulated(c, {top, kBoth[++i % 2]}, checked);
    }
  }
  CHECK(checked.close * 20 <= checked.heads);
}

DecodeCase with_window(DecodeCase c, std::size_t window) {
  c.window = window;
  return c;
}

constexpr DType kF16 = DType::kF16, kBF16 = DType::kBF16;

TEST_CASE("selective attention agrees with fp64 for uneven heads and dims") {
  const DecodeCase cases[] = {
      random_decode_case({4, 1, 2, 64, 64, 0}, kF16, {150}, "few"),
      random_decode_case({9, 2, 4, 16, 16, 0}, kBF16, {65}, "floor rule"),
      random_decode_case({4, 2, 1, 32, 64, 0}, kBF16, {66}, "more K heads"),
      random_decode_case({3, 1, 3, 24, 40, 0}, kF16, {33}, "padded dims"),
      random_decode_case({2, 2, 2, 128, 128, 0}, kF16, {129}, "wide"),
      random_decode_case({2, 1, 2, 16, 16, 0}, kF16, {1200}, "several chunks"),
      with_window(random_decode_case({2, 1, 1, 32, 32, 0}, kF16, {300, 7}, "window"), 90),
  };
  check_cases(cases);
}

TEST_CASE("selective attention agrees with fp64 for many heads and sequences", "[.slow]") {
  const DecodeCase cases[] = {
      random_decode_case({32, 4, 16, 64, 64, 0}, kF16, {150}, "sigma"),
      random_decode_case({9, 2, 4, 16, 16, 0}, kBF16, {65, 20, 1}, "floor rule"),
      random_decode_case({8, 4, 2, 32, 64, 0}, kBF16, {66, 130}, "more K heads"),
      random_decode_case({12, 2, 3, 24, 40, 0}, kF16, {33, 64}, "padded dims"),
      random_decode_case({20, 1, 1, 8, 16, 0}, kF16, {70}, "more q heads than columns"),
      random_decode_case({4, 4, 4, 128, 128, 0}, kF16, {129}, "wide"),
      with_window(random_decode_case({8, 2, 4, 32, 32, 0}, kF16, {300, 63, 7}, "window"), 90),
  };
  check_cases(cases);
}

TEST_CASE("of equal scores selective attention takes the earlier positions") {
  DecodeCase c = random_decode_case({2, 1, 1, 16, 16, 0}, DType::kF16, {100}, "ties");
  for (std::size_t i = 16; i < c.k.size(); ++i) c.k[i] = c.k[i % 16];
  const std::vector<float> out = selective_emulated(c, {20, SelectedWeights::kRenormalised});
  for (std::size_t d = 0; d < 16; ++d) {
    double mean = 0;
    for (std::size_t t = 0; t < 20; ++t) mean += stored_value(c, 0, t, 0, d) / 20;
    CHECK(std::abs(out[d] - mean) < 1e-5);
  }
}

struct Compared {
  long heads = 0, compared = 0;
};

// The vectors are of keys and values in fp32, which f16 moves: a head is compared where its selection stands.
void check_vector(const AttentionVector& vector, const ValueSelection& selection, Compared& compared) {
  INFO(vector.name << ", top " << selection.top);
  const DecodeCase& c = vector.c;
  double largest = 0;
  for (const float value : c.v) largest = std::max(largest, std::abs(double{value}));
  const std::vector<float> results = selective_emulated(c, selection), exact = vector.selected(selection);
  long wrong = 0;
  for (std::size_t row = 0; row < c.queries.size() * c.shape.n_q; ++row) {
    const std::size_t query = row / c.shape.n_q, head = row % c.shape.n_q;
    const double moved = head_scores(c, query, head).size * 0x1p-11;
    ++compared.heads;
    if (expected_head(c, query, head, selection).margin < 2 * moved) continue;
    ++compared.compared;
    for (std::size_t at = row * c.shape.d_v; at < (row + 1) * c.shape.d_v; ++at) {
      wrong += std::abs(results[at] - exact[at]) <= largest * (0x1p-11 + 2 * moved) ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
}

// Of each vector of selective V the selections that `wanted` says.
void check_vectors(const std::function<bool(std::size_t top, SelectedWeights weights)>& wanted) {
  Compared compared;
  for (const AttentionVector& vector : attention_vectors()) {
    if (vector.name.rfind("selective_", 0) != 0) continue;
    for (const std::size_t top : {1, 4, 16, 100}) {
      for (const SelectedWeights weights : kBoth) {
        if (wanted(top, weights)) check_vector(vector, {top, weights}, compared);
      }
    }
  }
  CHECK(compared.compared * 10 >= compared.heads * 6);
}

TEST_CASE("selective attention agrees with a DiffQKV vector's selection") {
  check_vectors(
      [](std::size_t top, SelectedWeights weights) { return top == 4 && weights == SelectedWeights::kRaw; });
}

TEST_CASE("selective attention agrees with the DiffQKV vectors", "[.slow]") {
  check_vectors([](std::size_t, SelectedWeights) { return true; });
}

TEST_CASE("plans of selective attention have each part once") {
  const std::vector<DecodeSequence> sequences{{0, 0, 1}, {1, 17, 1300}, {22, 600, 640}};
  const SelectivePlan plan = selective_plan(sequences);
  CHECK(plan.parts == 1 + 81 + 3);
  CHECK(plan.most_parts == 81);
  std::vector<int> seen(plan.parts);
  for (const ScoreChunk& chunk : plan.chunks) {
    for (std::uint32_t i = 0; i < chunk.parts; ++i) {
      ++seen.at(chunk.place + i);
      const SelectItem& item = plan.items[chunk.sequence];
      CHECK(chunk.first_part + i == item.begin / kPartTokens + chunk.place + i - item.place);
    }
  }
  CHECK(std::all_of(seen.begin(), seen.end(), [](int n) { return n == 1; }));
}

TEST_CASE("a selection that no block has the memory for is refused with the numbers") {
  const DecodeLayout layout({32, 4, 16, 64, 64, 1}, DType::kF16);
  check_selection(layout, 2048, 131072, 227 << 10);
  check_selection(layout, 100000, 4096, 227 << 10);  // all of a short context
  CHECK_THROWS_WITH(check_selection(layout, 4096, 131072, 227 << 10),
                    Catch::Matchers::StartsWith("--selective-v 4096 of a context of 131072 needs "));
}

struct WithoutWarpBarrier : EmulatedLanes {
  explicit WithoutWarpBarrier(const EmulatedLanes& lanes) : EmulatedLanes(lanes) {}
  void sync_warp() {}
};
struct WithoutBarrier : EmulatedLanes {
  explicit WithoutBarrier(const EmulatedLanes& lanes) : EmulatedLanes(lanes) {}
  void sync_block() {}
};

TEST_CASE("selective attention without its barriers is faulted for a race") {
  const DecodeCase c = random_decode_case({8, 1, 4, 32, 32, 0}, DType::kF16, {500}, "race");
  CHECK_THROWS_WITH(selective_emulated<WithoutWarpBarrier>(c, {10, SelectedWeights::kRaw}),
                    Catch::Matchers::Contains("race: thread") ||
                        Catch::Matchers::Contains("which nobody has written") ||
                        Catch::Matchers::Contains("before a copy to there has ended"));
  CHECK_THROWS_WITH(
      selective_emulated<WithoutBarrier>(c, {10, SelectedWeights::kRaw}),
      Catch::Matchers::Contains("race: thread") || Catch::Matchers::Contains("which nobody has written"));
}

}  // namespace
}  // namespace micius
