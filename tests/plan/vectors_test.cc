// The vectors of the cost model: equal integers, codes, messages and plans.
#include <cmath>
#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "plan/baselines.h"
#include "plan/bound.h"
#include "plan/cost.h"
#include "plan/greedy.h"
#include "shared_files.h"

namespace micius::plan {
namespace {

std::optional<Json> vectors(const char* name) {
  const auto path = vector_folder() / "optiflow" / name;
  if (!std::filesystem::exists(path)) {
    WARN("skipped: no " << path.string());
    return std::nullopt;
  }
  return parse_json(read_file(path), path.string());
}

std::map<std::string, Machine> machines() {
  std::map<std::string, Machine> result;
  const auto rows = vectors("machines.json");
  if (!rows) return result;
  for (const Json& row : *rows) {
    const std::string id = row.at("id");
    result.emplace(id, Machine::from_json(row, "machines.json: " + id));
  }
  return result;
}

std::string kind_name(PlanKind kind) { return kind == PlanKind::kRounds ? "rounds" : "steps"; }

// Microseconds with six decimals are whole picoseconds.
std::optional<std::int64_t> ps_of(const Json& us) {
  if (us.is_null()) return std::nullopt;
  return std::llround(us.get<double>() * 1e6);
}

std::optional<std::int64_t> time_of(const CostModel& model, const std::optional<Plan>& plan) {
  if (!plan) return std::nullopt;
  const Outcome outcome = model.run(*plan);
  INFO(outcome.error);
  REQUIRE(outcome.valid);
  return outcome.latency_ps;
}

int group_size(const std::string& machine) { return machine == "h100x2n" ? 8 : machine == "ncv4" ? 2 : 4; }

}  // namespace

TEST_CASE("plans take what the vectors say, or are wrong in the same words") {
  const auto rows = vectors("plans.json");
  if (!rows) return;
  const auto all = machines();
  std::size_t valid = 0;
  for (const Json& row : *rows) {
    INFO(row.at("id").get<std::string>());
    const CostModel model(all.at(row.at("machine")), row.at("chunks_per_gpu"), row.at("chunk_bytes"),
                          "vector");
    const Plan plan = read_plan(row.at("plan").get<std::string>());
    CHECK(kind_name(plan.kind) == row.at("kind"));
    const Outcome outcome = model.run(plan);
    const Json& expect = row.at("expect");
    CHECK(outcome.valid == expect.at("valid"));
    CHECK(outcome.steps == expect.at("steps"));
    if (outcome.valid) {
      ++valid;
      CHECK(outcome.latency_ps == expect.at("latency_ps"));
      CHECK(outcome.redundant == expect.at("redundant"));
      CHECK(outcome.latency_ps >= lower_bound(model)->ps);
    } else {
      CHECK(outcome.code == expect.at("code"));
      CHECK(outcome.error == expect.at("error"));
    }
  }
  CHECK(rows->size() == 164);
  CHECK(valid == 128);
}

TEST_CASE("texts read as the vectors say") {
  const auto rows = vectors("parse.json");
  if (!rows) return;
  for (const Json& row : *rows) {
    INFO(row.at("why").get<std::string>());
    const Plan plan = read_plan(row.at("text").get<std::string>());
    CHECK((plan.kind == PlanKind::kNone ? Json(nullptr) : Json(kind_name(plan.kind))) == row.at("kind"));
    Json rounds = Json::array();
    for (std::size_t i = 0, round = 0; i < plan.steps.size(); ++i) {
      const Step& step = plan.steps[i];
      if (plan.kind == PlanKind::kRounds && i == plan.round_ends[round]) ++round;
      if (plan.kind == PlanKind::kSteps || rounds.size() == round) rounds.push_back(Json::array());
      rounds.back().push_back({step.owner, step.chunk, step.src, step.dst});
    }
    CHECK(rounds == row.at("rounds"));
  }
}

TEST_CASE("bounds and baselines are those of the vectors") {
  const auto rows = vectors("baselines.json");
  if (!rows) return;
  const auto all = machines();
  for (const Json& row : *rows) {
    INFO(row.at("machine").get<std::string>() << " with " << row.at("chunk_bytes"));
    const Machine& machine = all.at(row.at("machine"));
    const int chunks = row.at("chunks_per_gpu");
    const CostModel model(machine, chunks, row.at("chunk_bytes"), "vector");
    const Bound bound = lower_bound(model).value();
    const auto to_ps = [](std::int64_t fs) { return (fs + 500) / 1000; };
    CHECK(to_ps(bound.cut_fs) == ps_of(row.at("cut_us")));
    CHECK(to_ps(bound.far_fs) == ps_of(row.at("far_us")));
    CHECK(bound.ps == std::max(bound.cut_fs, bound.far_fs) / 1000);
    const auto ring = best_ring(machine);
    const std::map<std::string, std::optional<Plan>> plans = {
        {"direct", direct_plan(machine, chunks)},
        {"ring", ring ? std::optional(ring_plan(*ring, chunks)) : std::nullopt},
        {"doubling", doubling_plan(machine, chunks)},
        {"hierarchical", hierarchical_plan(machine, chunks, group_size(row.at("machine")))},
        {"greedy", greedy_plan(machine, chunks)}};
    for (const auto& [name, plan] : plans) {
      INFO(name);
      CHECK(time_of(model, plan).value_or(0) == ps_of(row.at(name + "_rounds_us")).value_or(0));
      CHECK(time_of(model, plan ? std::optional(as_list(*plan)) : plan).value_or(0) ==
            ps_of(row.at(name + "_steps_us")).value_or(0));
    }
    const std::optional<Plan> naive = naive_plan(machine, chunks);
    CHECK(time_of(model, naive) == ps_of(row.at("naive_steps_us")));
    Plan one_by_one;
    for (const Step& step : naive->steps) one_by_one.add_round({step});
    CHECK(time_of(model, one_by_one) == ps_of(row.at("naive_rounds_us")));
  }
}

TEST_CASE("baseline plans are those of the vectors, step for step") {
  const auto rows = vectors("plans.json");
  if (!rows) return;
  const auto all = machines();
  std::size_t compared = 0;
  for (const Json& row : *rows) {
    const std::string id = row.at("id"), machine_id = row.at("machine");
    if (id.rfind(machine_id + "-", 0) != 0) continue;
    const std::string name = id.substr(machine_id.size() + 1);
    const Machine& machine = all.at(machine_id);
    const int chunks = row.at("chunks_per_gpu");
    std::optional<Plan> plan;
    if (name == "direct") plan = direct_plan(machine, chunks);
    if (name == "ring") plan = ring_plan(best_ring(machine).value(), chunks);
    if (name == "doubling") plan = doubling_plan(machine, chunks);
    if (name == "hierarchical") plan = hierarchical_plan(machine, chunks, group_size(machine_id));
    if (name == "greedy") plan = greedy_plan(machine, chunks);
    if (name == "naive") plan = naive_plan(machine, chunks);
    if (!plan) continue;
    INFO(id);
    CHECK(*plan == read_plan(row.at("plan").get<std::string>()));
    ++compared;
  }
  CHECK(compared > 40);
}

}  // namespace micius::plan
