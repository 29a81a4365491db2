#include "reports/comparison.h"

#include <sstream>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "reports/example_reports.h"
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
  c.a = {RunId{1}, 0, "gpt-4o", estimate(0.25, 0.213, 0.291, 480), 0, 0};
  c.b = {RunId{2}, 1, "smollm2-135m", estimate(0.035, 0.022, 0.056, 480), 3, 1};
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
  League l{"cmdgen", "accuracy", 480, {"gpt-4o", "small", "phi"}, {0, 1, 2}, {}, {}};
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

TEST_CASE("a comparison as Markdown") {
  const auto markdown_of = [](const ComparisonSet& set) {
    std::ostringstream out;
    write_comparison_markdown(set, {}, out);
    return out.str();
  };
  check_golden("compare.md", markdown_of({{open(), found()}, {league()}, {"gsm8k: only gpt-4o has it"}}));
  ComparisonSet many;
  for (std::size_t i = 0; i < 30; ++i) many.comparisons.push_back(i == 29 ? found() : open());
  const std::string text = markdown_of(many);
  CHECK(text.starts_with("**gpt-4o is better than smollm2-135m on cmdgen"));
  CHECK(text.find("- 25 more below") != std::string::npos);
  CHECK(text.find("<summary>10 more</summary>") != std::string::npos);
}

TEST_CASE("a comparison as a page") {
  std::ostringstream out;
  write_comparison_html(example_reports(), out);
  const std::string page = out.str();
  CHECK(page.find("<h2>Head to head</h2>") < page.find("<h2>Samples</h2>"));
  CHECK(page.find("<h2>Summary</h2>") == std::string::npos);
  CHECK(page.find("#samples?run=0&amp;vs=1") != std::string::npos);
  CHECK(page.find("gpt-4o (openai)") != std::string::npos);
}

TEST_CASE("three models on a page are ranked") {
  ReportSet set = example_reports();
  set.comparisons.leagues = {league()};
  set.comparisons.leagues[0].places = {0, 1, 2};
  std::ostringstream out;
  write_comparison_html(set, out);
  CHECK(out.str().find("<h3>Ranking</h3>") != std::string::npos);
  CHECK(out.str().find("+347") != std::string::npos);
  set.comparisons.leagues[0].ranking.clear();
  std::ostringstream unranked;
  write_comparison_html(set, unranked);
  CHECK(unranked.str().find("no ranking") != std::string::npos);
}

TEST_CASE("missing answers that explain a difference are said") {
  Comparison c = found();
  c.a_won_unanswered = 52;
  CHECK(text_of({{c}, {}, {}}).find("missing answers") == std::string::npos);
  c.a_won_unanswered = 53;
  CHECK(text_of({{c}, {}, {}})
            .find("cmdgen: missing answers explain most of what gpt-4o gains over smollm2-135m: on 53 of the "
                  "105") != std::string::npos);
  c.finding = Finding::kNoDifference;
  CHECK(text_of({{c}, {}, {}}).find("missing answers") == std::string::npos);
}

TEST_CASE("a stable page names no run in its comparisons") {
  ReportSet set = stable_example();
  set.comparisons.comparisons[0].a.label = "smollm2-135m (run 12)";
  std::ostringstream out;
  write_comparison_html(set, out);
  CHECK(out.str().find("run 12") == std::string::npos);
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
