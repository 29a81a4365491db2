// The cost model, bound and baselines without outside data: machines made here.
#include "plan/cost.h"

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/rng.h"
#include "plan/baselines.h"
#include "plan/bound.h"
#include "plan/greedy.h"

namespace micius::plan {
namespace {

std::vector<std::string> names(int count) {
  std::vector<std::string> result;
  for (int i = 0; i < count; ++i) result.push_back("N" + std::to_string(i));
  return result;
}

// GPUs on one switch, 0.2 us and 450 GB/s a link.
Machine one_switch(int gpus) {
  std::vector<Link> links;
  for (int gpu = 0; gpu < gpus; ++gpu) {
    links.push_back({gpu, gpus, 200'000, 450'000});
    links.push_back({gpus, gpu, 200'000, 450'000});
  }
  return {gpus, names(gpus + 1), links, "test"};
}

// A ring of links in one direction and some more; no two links alike.
Machine random_machine(Rng& rng) {
  const int gpus = static_cast<int>(3 + rng.below(6));
  std::vector<Link> links;
  for (int from = 0; from < gpus; ++from) {
    for (int to = 0; to < gpus; ++to) {
      if (from == to || (to != (from + 1) % gpus && rng.below(3) > 0)) continue;
      links.push_back({from, to, static_cast<std::int64_t>(100 + rng.below(2000)) * 1000,
                       static_cast<std::int64_t>(5000 + rng.below(200'000))});
    }
  }
  return {gpus, names(gpus), links, "test"};
}

// `of[i]` is the new number of GPU i.
Machine renumbered(const Machine& machine, const std::vector<int>& of) {
  std::vector<Link> links = machine.links();
  for (Link& link : links) link = {of[link.from], of[link.to], link.latency_ps, link.mbps};
  return {machine.gpus(), machine.nodes(), links, "test"};
}

Plan renumbered(Plan plan, const std::vector<int>& of) {
  for (Step& s : plan.steps) s = {of[s.owner], s.chunk, of[s.src], of[s.dst]};
  return plan;
}

}  // namespace

TEST_CASE("the published example takes 7.78 us as a list") {
  const Machine machine = one_switch(8);
  const CostModel model(machine, 2, 65'536, "test");
  CHECK(model.run(as_list(*direct_plan(machine, 2))).latency_ps == 7'784'540);
  CHECK(model.run(*direct_plan(machine, 2)).latency_ps == 2'584'540);
  CHECK(lower_bound(model)->ps == 2'438'897);
}

TEST_CASE("what is wrong with a plan is said in its words") {
  const Machine machine = one_switch(2);
  const CostModel model(machine, 1, 1000, "test");
  const auto verdict = [&](const std::string& text) {
    const Outcome outcome = model.run(read_plan(text));
    CHECK_FALSE(outcome.valid);
    return outcome.code + ": " + outcome.error;
  };
  CHECK(verdict("") == "empty: the plan has no steps");
  CHECK(verdict("D(0, 0): G(0) => G(2)") ==
        "no_gpu: step 1 (D(0, 0): G(0) => G(2)): G(2) does not exist, there are 2 GPUs");
  CHECK(verdict("[['D(0, 0): G(0) => G(1)'], ['D(0, 1): G(0) => G(1)']]") ==
        "no_chunk: round 2, step 2 (D(0, 1): G(0) => G(1)): chunk 1 does not exist, there are 1 chunks per "
        "GPU");
  CHECK(verdict("D(1, 0): G(0) => G(1)") ==
        "not_held: step 1 (D(1, 0): G(0) => G(1)): G(0) does not hold D(1, 0) at that time");
  CHECK(verdict("D(0, 0): G(0) => G(1)") == "incomplete: at the end G(0) does not hold D(1, 0)");
  Plan plan = *direct_plan(machine, 1);
  plan.kind = PlanKind::kSteps;
  plan.round_ends.clear();
  while (plan.steps.size() <= kMostSteps) plan.steps.push_back(plan.steps.front());
  CHECK(model.run(plan).error == "the plan has 20001 steps, more than 20000");
  plan.steps.pop_back();
  CHECK(model.run(plan).redundant == kMostSteps - 2);
}

TEST_CASE("a machine or a size that cannot be is named") {
  CHECK_THROWS_WITH(Machine::from_json({{"gpus", 3}, {"nodes", {"a", "b"}}}, "x"),
                    "x: field 'nodes' must name from 'gpus' to 128 nodes, found 2 for 3 GPUs");
  const Json rows = {{0, 1}, {1, 0}};
  CHECK_THROWS_WITH(
      Machine::from_json({{"gpus", 2}, {"nodes", {"a", "b"}}, {"latency_us", rows}, {"bandwidth_gbps", {1}}},
                         "x"),
      "x: field 'bandwidth_gbps' must be 2 lists of 2 numbers, one for each node");
  const Json text = {{0, "1"}, {1, 0}};
  CHECK_THROWS_WITH(
      Machine::from_json({{"gpus", 2}, {"nodes", {"a", "b"}}, {"latency_us", text}, {"bandwidth_gbps", rows}},
                         "x"),
      "x: latency_us[0][1] must be a number or null, found string");
  const Machine machine = one_switch(2);
  CHECK_THROWS_WITH(CostModel(machine, 0, 1, "x"),
                    "x: chunks per GPU must be from 1 to 2048 for 2 GPUs, found 0");
  CHECK_THROWS_WITH(CostModel(machine, 1, 1'000'000'000'000, "x"),
                    "x: a chunk of 1000000000000 bytes takes more than a second on the link N0 -> N2");
}

TEST_CASE("a machine is the same after its JSON form") {
  Rng rng("tests/plan/json");
  const Machine machine = random_machine(rng);
  const Machine again = Machine::from_json(machine.to_json(), "test");
  CHECK(again.to_json() == machine.to_json());
  CHECK(again.links().size() == machine.links().size());
  CHECK(again.links().front().latency_ps == machine.links().front().latency_ps);
}

TEST_CASE("a route forwards through switches and never through a GPU") {
  // 0 and 1 share switch 3; 2 hangs on switch 4 behind it; 5 offers a way of the same length, with less
  // latency.
  const std::vector<Link> links = {{0, 3, 1000, 10'000}, {3, 1, 1000, 10'000}, {3, 4, 5000, 10'000},
                                   {3, 5, 1000, 10'000}, {4, 2, 1000, 10'000}, {5, 2, 1000, 10'000},
                                   {1, 2, 1000, 90'000}};
  const Machine machine(3, names(6), links, "test");
  CHECK(std::vector<int>(machine.route(0, 2).begin(), machine.route(0, 2).end()) ==
        std::vector<int>{0, 3, 5});
  CHECK(machine.route(1, 2).size() == 1);
  CHECK_FALSE(machine.connected(2, 0));
  CHECK_FALSE(lower_bound(CostModel(machine, 1, 1000, "test")));
}

TEST_CASE("no plan of either form is faster than the bound, and no renumbering matters") {
  Rng rng("tests/plan/property");
  for (int i = 0; i < 200; ++i) {
    const Machine machine = random_machine(rng);
    const int chunks = static_cast<int>(1 + rng.below(3));
    const CostModel model(machine, chunks, static_cast<std::int64_t>(1 + rng.below(5'000'000)), "test");
    std::vector<int> of(static_cast<std::size_t>(machine.gpus()));
    for (std::size_t gpu = 0; gpu < of.size(); ++gpu) of[gpu] = static_cast<int>(gpu);
    rng.shuffle(of);
    const Machine other = renumbered(machine, of);
    const CostModel other_model(other, chunks, model.chunk_bytes(), "test");
    const std::int64_t bound = lower_bound(model)->ps;
    CHECK(lower_bound(other_model)->ps == bound);
    GreedyOptions options;
    options.first = static_cast<int>(rng.below(static_cast<std::size_t>(machine.gpus())));
    options.most_chunks = static_cast<int>(rng.below(4));
    options.most_mbps = 50'000;
    options.wait = rng.below(2) == 0;
    for (const Plan& rounds : {*greedy_plan(machine, chunks), *greedy_plan(machine, chunks, options)}) {
      for (const Plan& plan : {rounds, as_list(rounds), *naive_plan(machine, chunks)}) {
        const Outcome outcome = model.run(plan);
        REQUIRE(outcome.valid);
        CHECK(outcome.redundant == 0);
        CHECK(outcome.latency_ps + static_cast<std::int64_t>(plan.steps.size()) >= bound);
        CHECK(other_model.run(renumbered(plan, of)).latency_ps == outcome.latency_ps);
        Plan twice = plan;
        twice.steps.push_back(plan.steps.front());
        if (plan.kind == PlanKind::kRounds) twice.round_ends.push_back(twice.steps.size());
        CHECK(model.run(twice).latency_ps == outcome.latency_ps);
        CHECK(model.run(twice).redundant == 1);
      }
    }
  }
}

TEST_CASE("ten thousand plans of eight GPUs are read and timed in a second", "[.slow]") {
  const Machine machine = one_switch(8);
  const CostModel model(machine, 2, 65'536, "test");
  for (const std::string& text :
       {write_plan(*direct_plan(machine, 2)), write_plan(as_list(*direct_plan(machine, 2)))}) {
    constexpr int kPlans = 20'000;
    std::int64_t sum = 0;
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < kPlans; ++i) sum += model.run(read_plan(text)).latency_ps;
    const std::chrono::duration<double> time = std::chrono::steady_clock::now() - begin;
    CHECK(sum > 0);
    WARN(kPlans / time.count() << " plans of " << text.size() << " bytes a second");
    CHECK(kPlans / time.count() > 10'000);
  }
}

}  // namespace micius::plan
