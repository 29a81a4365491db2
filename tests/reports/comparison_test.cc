#include "reports/comparison.h"

#include <sstream>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "reports/golden.h"

namespace micius {
namespace {

Estimate estimate(double value, double low, double high, std::size_t n) {
  Estimate e;
  e.value = value;
  e.low = low;
  e.high = high;
  e.stderr_ = (high - low) / 4;
  e.n = n;
  return e;
}

Comparison found() {
  Comparison c;
  c.task = "cmdgen";
  c.metric = {"accuracy"};
  c.a = {RunId{1}, "gpt-4o", estimate(0.25, 0.213, 0.291, 480), 0, 0};
  c.b = {RunId{2}, "smollm2-135m", estimate(0.035, 0.022, 0.056, 480), 3, 1};
  c.samples = 480;
  c.difference = estimate(0.215, 0.176, 0.254, 480);
  c.interval = "tango";
  c.counts = {15, 105, 2, 358};
  c.wins = {105, 373, 2};
  c.tests = {{"mcnemar_mid_p", 1e-20, 2e-20}, {"mcnemar_exact", 2e-20, 4e-20}};
  c.finding = Finding::kABetter;
  c.detectable = 0.06;
  c.flips = {{"cmdgen-1", 1, 0, Verdict::kCorrect, Verdict::kIncorrect, "rocm-smi --showtemp", "nvidia-smi"},
             {"cmdgen-2", 0, 1, Verdict::kNoAnswer, Verdict::kCorrect, "", "nccl\n\x1b[31m"}};
  c.groups = {{"platform", "amd", estimate(0.2, 0.15, 0.26, 240), estimate(0.02, 0.01, 0.05, 240),
               estimate(0.18, 0.13, 0.23, 240)}};
  return c;
}

Comparison open() {
  Comparison c = found();
  c.task = "optiflow";
  c.metric = {"plan_score"};
  c.b.only_here = c.b.not_scored = 0;
  c.samples = 1280;
  c.difference = estimate(0.006, -0.011, 0.023, 1280);
  c.difference.clusters = 320;
  c.interval = "clusters";
  c.counts.reset();
  c.tests = {{"sign_flips", 0.49, 0.49}};
  c.finding = Finding::kNoDifference;
  c.detectable = 0.024;
  c.flips.clear();
  c.groups.clear();
  c.forced = {"task version 1 against 2"};
  c.notes = {"besides the model the runs differ in options"};
  return c;
}

League league() {
  League l{"cmdgen", "accuracy", 480, {"gpt-4o", "small", "phi"}, {}, {}};
  l.table = {{{0, 480, 0}, {105, 373, 2}, {60, 400, 20}},
             {{2, 373, 105}, {0, 480, 0}, {5, 400, 75}},
             {{20, 400, 60}, {75, 400, 5}, {0, 480, 0}}};
  l.ranking = {{0, 2.0, 0.2, 347, 279, 415}, {2, 0.5, 0.2, 87, 19, 155}, {1, -2.5, 0.2, -434, -502, -366}};
  return l;
}

std::string text_of(const ComparisonSet& set) {
  ComparisonStyle style;
  style.report.width = 120;
  std::ostringstream out;
  write_comparison_text(set, style, out);
  return out.str();
}

std::string json_of(const ComparisonSet& set) {
  std::ostringstream out;
  write_comparison_json(set, out);
  return out.str();
}

}  // namespace

TEST_CASE("a comparison as text") {
  check_golden("compare.text", text_of({{found(), open()}, {}, {"gsm8k: only gpt-4o has it"}}));
  check_golden("compare_league.text", text_of({{found()}, {league()}, {}}));
}

TEST_CASE("a comparison as JSON") {
  check_golden("compare.json", json_of({{found()}, {}, {}}));
  const Json several = parse_json(json_of({{found(), open()}, {league()}, {"a note"}}), "compare");
  CHECK(several["schema"] == "micius.compare/1");
  CHECK(several["comparisons"].size() == 2);
  CHECK(several["comparisons"][0]["only_a"] == 105);
  CHECK_FALSE(several["comparisons"][1].contains("only_a"));
  CHECK(several["comparisons"][1]["forced"][0] == "task version 1 against 2");
  CHECK(several["comparisons"][1]["better"] == "neither");
  CHECK(several["leagues"][0]["ranking"][1]["model"] == "phi");
  CHECK(several["leagues"][0]["table"][2][0]["loss"] == 60);
}

TEST_CASE("a league without strengths says so") {
  League l = league();
  l.ranking.clear();
  CHECK(text_of({{found()}, {l}, {}}).find("no ranking") != std::string::npos);
}

}  // namespace micius
