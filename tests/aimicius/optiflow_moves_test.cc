// Local search on plans.
#include "optiflow_moves.h"

#include <catch2/catch.hpp>

#include "plan/baselines.h"

namespace micius::aimicius::optiflow {
namespace {

using Kind = Move::Kind;

// D(owner, 0): G(src) => G(dst)
plan::Step step(int owner, int src, int dst) { return {owner, 0, src, dst}; }

plan::Plan plan_of(const std::vector<std::vector<plan::Step>>& rounds) {
  plan::Plan plan;
  for (const auto& round : rounds) plan.add_round(round);
  return plan;
}

const plan::Plan kRounds = plan_of({{step(0, 0, 1), step(1, 1, 0)}, {step(2, 2, 0)}});

std::optional<plan::Plan> after(const plan::Plan& plan, const Move& move) {
  return changed(plan, {&move, 1});
}

}  // namespace

TEST_CASE("each move changes what it says") {
  CHECK(after(kRounds, {Kind::kSwap, 0, 1, 1, 0}) ==
        plan_of({{step(0, 0, 1), step(2, 2, 0)}, {step(1, 1, 0)}}));
  CHECK(after(kRounds, {Kind::kSource, 1, 0, 0, 0, 1}) ==
        plan_of({{step(0, 0, 1), step(1, 1, 0)}, {step(2, 1, 0)}}));
  CHECK(after(kRounds, {Kind::kMerge, 0}) == plan_of({{step(0, 0, 1), step(1, 1, 0), step(2, 2, 0)}}));
  CHECK(after(kRounds, {Kind::kSplit, 0, 1}) == plan_of({{step(0, 0, 1)}, {step(1, 1, 0)}, {step(2, 2, 0)}}));
  CHECK(after(plan::as_list(kRounds), {Kind::kSwap, 0, 0, 2, 0}) ==
        plan::as_list(plan_of({{step(2, 2, 0)}, {step(1, 1, 0)}, {step(0, 0, 1)}})));
}

TEST_CASE("a move that names what is not there is none") {
  CHECK_FALSE(after(kRounds, {Kind::kSwap, 0, 2, 1, 0}));
  CHECK_FALSE(after(kRounds, {Kind::kSource, 2, 0}));
  CHECK_FALSE(after(kRounds, {Kind::kMerge, 1}));
  CHECK_FALSE(after(kRounds, {Kind::kSplit, 0, 0}));
  CHECK_FALSE(after(kRounds, {Kind::kSplit, 0, 2}));
}

TEST_CASE("local search finds what is plainly better, the same each time") {
  // A full mesh of four. One send a round is as slow as can be: the best is a single round.
  std::vector<plan::Link> links;
  for (int from = 0; from < 4; ++from) {
    for (int to = 0; to < 4; ++to) {
      if (from != to) links.push_back({from, to, 1'000'000, 50'000});
    }
  }
  const plan::Machine machine(4, {"a", "b", "c", "d"}, links, "test");
  const plan::CostModel model(machine, 1, 65'536, "test");
  const plan::Plan direct = *plan::direct_plan(machine, 1);
  plan::Plan slow;
  for (const plan::Step& one : direct.steps) slow.add_round({one});
  Rng rng("test");
  const std::vector<Move> moves = faster(model, slow, 2'000, rng);
  const auto plan = changed(slow, moves);
  REQUIRE(plan);
  const plan::Outcome outcome = model.run(*plan);
  CHECK(outcome.valid);
  CHECK(outcome.redundant == 0);
  CHECK(outcome.latency_ps == model.run(direct).latency_ps);
  Rng again("test");
  CHECK(faster(model, slow, 2'000, again) == moves);
  Rng other("other");
  CHECK(faster(model, *plan, 500, other).empty());
}

}  // namespace micius::aimicius::optiflow
