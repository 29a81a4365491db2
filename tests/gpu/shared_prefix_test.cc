#include "engine/ops/shared_prefix.h"

#include <cmath>

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "engine/op_fixture.h"
#include "gpu/prefill_run.h"

namespace micius {
namespace {

// Positions [begin, end) that the queries of `rows` see in the pages of the first of them.
struct Common {
  std::size_t begin, end;
  std::vector<std::uint32_t> rows;
};

// Gives the first row's keys and values to the others.
void make_common(DecodeCase& c, const Common& common) {
  const std::size_t k_width = c.shape.n_k * c.shape.d_k, v_width = c.shape.n_v * c.shape.d_v;
  const std::size_t from = c.first_token(common.rows.front());
  for (const std::uint32_t row : common.rows) {
    const std::size_t to = c.first_token(row);
    for (std::size_t i = common.begin * k_width; i < common.end * k_width; ++i) {
      c.k[to * k_width + i] = c.k[from * k_width + i];
    }
    for (std::size_t i = common.begin * v_width; i < common.end * v_width; ++i) {
      c.v[to * v_width + i] = c.v[from * v_width + i];
    }
  }
}

// `pages`: a case whose common beginnings are right in the pages of their first rows alone.
DecodeResults step(const DecodeCase& pages, std::span<const Common> commons, std::uint32_t blocks) {
  const PagedCase paged(pages);
  DecodeInputs inputs = paged.inputs();
  std::vector<DecodeSequence> rest(inputs.sequences.begin(), inputs.sequences.end());
  std::vector<SharedPrefix> prefixes;
  for (const Common& common : commons) {
    prefixes.push_back({inputs.sequences[common.rows.front()].first_page,
                        static_cast<std::uint32_t>(common.begin), static_cast<std::uint32_t>(common.end),
                        common.rows});
    for (const std::uint32_t row : common.rows) rest[row].begin = static_cast<std::uint32_t>(common.end);
  }
  const PrefillTuning tuning{.warps = 2};
  const auto rows = static_cast<std::uint32_t>(rest.size());
  const SharedPrefixPlan plan = shared_prefix_plan(inputs.layout, prefixes, rows, tuning, blocks);
  PartResults parts(inputs.layout, plan.first_suffix + rows);
  run_prefill(inputs, plan.tokens, plan.prefixes, tuning, parts);
  inputs.sequences = rest;
  const DecodeResults suffixes = decode_emulated(
      inputs, decode_tuning(inputs.layout, blocks, 100 << 10, true), emulation::Arrival::kLate, "suffixes");
  std::copy(suffixes.out.begin(), suffixes.out.end(),
            parts.out.end() - static_cast<std::ptrdiff_t>(suffixes.out.size()));
  std::copy(suffixes.lse.begin(), suffixes.lse.end(),
            parts.lse.end() - static_cast<std::ptrdiff_t>(suffixes.lse.size()));
  return run_merge(inputs.layout, plan.merge_first, plan.merge_parts, parts);
}

void check(const AttentionShape& shape, DType dtype, std::uint32_t blocks) {
  // A header under which there are two questions with answers of their own, and a sequence of another kind.
  const std::vector<std::size_t> lengths{331, 200, 265, 193, 194, 70};
  const Common commons[] = {{0, 192, {1, 0, 2, 3, 4}}, {192, 256, {2, 0}}};
  const DecodeCase pages = random_decode_case(shape, dtype, lengths, "shared");
  DecodeCase c = pages;
  for (const Common& common : commons) make_common(c, common);
  INFO(c.name() << ", " << blocks << " blocks");
  CHECK(wrong_results(step(pages, commons, blocks), expected_results(c)) == 0);
}

TEST_CASE("tokens that share beginnings agree with fp64") {
  check({8, 2, 4, 32, 32, 0}, DType::kF16, 40);
  check({9, 2, 4, 16, 16, 0}, DType::kBF16, 1);
  check({32, 4, 16, 16, 16, 0}, DType::kF16, 132);
  check({8, 2, 4, 8, 16, 0}, DType::kF16, 132);
}

// Sequences that see so many positions from `begin` on, with these pages.
struct Paged {
  std::vector<std::uint32_t> pages;
  std::uint32_t end, begin = 0;
};

// Each prefix as "begin-end: rows".
std::vector<std::string> prefixes_of(const std::vector<Paged>& paged, std::size_t least_pages) {
  std::vector<DecodeSequence> sequences;
  std::vector<std::uint32_t> table;
  for (const Paged& p : paged) {
    sequences.push_back({static_cast<std::uint32_t>(table.size()), p.begin, p.end});
    table.insert(table.end(), p.pages.begin(), p.pages.end());
  }
  std::vector<std::string> found;
  for (const SharedPrefix& prefix : shared_prefixes(sequences, table, least_pages)) {
    found.push_back(fmt::format("{}-{}: {}", prefix.begin, prefix.end, fmt::join(prefix.rows, " ")));
  }
  return found;
}

TEST_CASE("sequences with common pages are found as a tree") {
  using Found = std::vector<std::string>;
  CHECK(prefixes_of({}, 0).empty());
  CHECK(prefixes_of({{{1, 2}, 70}, {{3, 4}, 70}}, 0).empty());
  CHECK(prefixes_of({{{1, 2}, 70}, {{1, 4}, 70}}, 0) == Found{"0-64: 0 1"});
  // A header, two questions under it, one of them with answers of its own; another sequence.
  const std::vector<Paged> tree{{{9, 5, 7, 1}, 200}, {{9, 5, 8}, 150},    {{4, 6}, 100},
                                {{9, 5, 7, 2}, 250}, {{9, 5, 8, 3}, 193}, {{9, 5}, 129 - 1}};
  CHECK(prefixes_of(tree, 0) == Found{"0-64: 5 1 0 3 4", "64-128: 1 0 3 4", "128-192: 0 3"});
  CHECK(prefixes_of(tree, 2) == Found{"0-64: 5 1 0 3 4", "64-128: 1 0 3 4"});
  // What does not pay for all is read with what pays for some.
  CHECK(prefixes_of({{{9, 5, 7, 1}, 200}, {{9, 5, 7, 2}, 200}, {{9, 3}, 100}}, 4).empty());
  CHECK(prefixes_of({{{9, 5, 7, 6, 1}, 300}, {{9, 5, 7, 6, 2}, 300}, {{9, 3}, 100}}, 4) ==
        Found{"0-256: 0 1"});
  // The page of the new token is a sequence's own, and a window hides the beginning.
  CHECK(prefixes_of({{{1}, 64}, {{1}, 64}}, 0).empty());
  CHECK(prefixes_of({{{1, 2}, 70, 3}, {{1, 4}, 70}}, 0).empty());
}

TEST_CASE("a step without a shared beginning is a decode step") {
  const DecodeCase c = random_decode_case({8, 2, 4, 16, 16, 0}, DType::kF16, {70, 3}, "none");
  CHECK(wrong_results(step(c, {}, 4), expected_results(c)) == 0);
}

TEST_CASE("a long beginning that few see is cut for all blocks") {
  const DecodeLayout layout({32, 4, 16, 64, 64, 1}, DType::kBF16);
  const SharedPrefix prefix{0, 0, 6400, {0, 1, 2, 3}};
  const auto tiles = [&](std::uint32_t blocks) {
    return shared_prefix_plan(layout, {&prefix, 1}, 4, {.warps = 4}, blocks).prefixes.tiles.size();
  };
  CHECK(tiles(1) == 1);
  CHECK(tiles(132) == 8);
  CHECK(tiles(100000) == 100);
}

}  // namespace
}  // namespace micius
