// Reading plans: own cases, hostile texts, and the way back.
#include "plan/plan.h"

#include <chrono>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/rng.h"
#include "mutate.h"
#include "source_tree.h"

namespace micius::plan {
namespace {

// "1.0:1>2 | 2.0:2>3": rounds are divided by bars.
std::string short_text(const Plan& plan) {
  std::string text;
  for (std::size_t i = 0, round = 0; i < plan.steps.size(); ++i) {
    const Step& s = plan.steps[i];
    const bool bar = plan.kind == PlanKind::kRounds && i == plan.round_ends[round];
    if (bar) ++round;
    if (i > 0) text += bar ? " | " : " ";
    text += std::to_string(s.owner) + "." + std::to_string(s.chunk) + ":" + std::to_string(s.src) + ">" +
            std::to_string(s.dst);
  }
  return text;
}

std::string kind_name(PlanKind kind) {
  return kind == PlanKind::kNone ? "none" : kind == PlanKind::kRounds ? "rounds" : "steps";
}

std::string repeated(const std::string& part, std::size_t bytes) {
  std::string text;
  while (text.size() < bytes) text += part;
  return text;
}

}  // namespace

TEST_CASE("plans are read by cases") {
  const std::string name = "parse.jsonl";
  const auto path = source_tree() / "tests/plan" / name;
  std::size_t cases = 0;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json test = parse_json(line, name + ":" + std::to_string(number));
    INFO(test.at("name").get<std::string>());
    const Plan plan = read_plan(test.at("text").get<std::string>());
    CHECK(kind_name(plan.kind) == test.at("kind"));
    CHECK(short_text(plan) == test.at("plan"));
    ++cases;
  });
  CHECK(cases > 15);
}

TEST_CASE("what is written is read again") {
  Plan rounds;
  rounds.add_round({{0, 0, 0, 1}, {1, 0, 1, 0}});
  rounds.add_round({});
  rounds.add_round({{0, 1, 0, 1}});
  CHECK(write_plan(rounds) ==
        "[[\"D(0, 0): G(0) => G(1)\", \"D(1, 0): G(1) => G(0)\"], [\"D(0, 1): G(0) => G(1)\"]]");
  CHECK(read_plan(write_plan(rounds)) == rounds);
  const Plan list = as_list(rounds);
  CHECK(list.round_ends.empty());
  CHECK(read_plan(write_plan(list)) == list);
  CHECK(write_plan({}) == "[]");
}

TEST_CASE("ten megabytes of anything are read in time by their length") {
  constexpr std::size_t kBytes = 10 << 20;
  const auto begin = std::chrono::steady_clock::now();
  for (const std::string part :
       {"[", "]", "[]", "[[", "D(", "D( ", "D(0, 0): G(0) => G(", "Round\n", "Round D(", "9",
        "[D(0, 0): G(0) => G(1)", "[[D(0, 0): G(0) => G(1)]]", "D(0, 0): G(0) => G(1)"}) {
    const Plan plan = read_plan(repeated(part, kBytes));
    CHECK(plan.steps.size() <= kBytes / 21 + 1);
  }
  CHECK(read_plan("D(" + std::string(kBytes, ' ') + "0, 0): G(0) => G(1)").steps.size() == 1);
  CHECK(read_plan("D(" + std::string(kBytes, '1') + ", 0): G(0) => G(1)").steps.front().owner == 999'999'999);
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(30));
}

TEST_CASE("broken texts give some plan and never more") {
  const std::string text =
      "Round 1: [['D(0, 0): G(0) => G(1)', 'D(1, 0): G(1) => G(0)'], [\"D(0, 1): G(0) => G(1)\"]]\nRound 2\n";
  Rng rng("tests/plan/mutate");
  for (int i = 0; i < 20'000; ++i) {
    const Plan plan = read_plan(mutate(text, rng));
    CHECK((plan.kind == PlanKind::kNone) == plan.steps.empty());
    if (plan.kind == PlanKind::kRounds) CHECK(plan.round_ends.back() == plan.steps.size());
  }
}

}  // namespace micius::plan
