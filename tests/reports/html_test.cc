#include <sstream>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "base/text.h"
#include "reports/example_reports.h"
#include "reports/html_internal.h"
#include "reports/registry.h"

namespace micius {
namespace {

std::string page_of(const ReportSet& set) {
  std::ostringstream out;
  report_registry().get("html")({})->write(set, out);
  return out.str();
}

// What lies between the first `begin` and the next `end`.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const std::size_t start = from + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

}  // namespace

TEST_CASE("nothing of a model's output is markup") {
  const std::string page = page_of(example_reports());
  CHECK(page.find("<script>alert") == std::string::npos);
  CHECK(page.find("<b>vague") == std::string::npos);
  CHECK(page.find('\x1b') == std::string::npos);
  CHECK(is_valid_utf8(page));
  const auto part = [&](const std::string& id) {
    return parse_json(between(page, "<script id=\"" + id + "\" type=\"application/json\">", "</script>"), id);
  };
  CHECK(part("data")["runs"][0]["n"] == 4);
  const Json columns = part("data-run-0");
  const auto answers = split(columns["answer"].get_ref<const std::string&>(), '\x7f');
  REQUIRE(answers.size() == 4);
  CHECK(answers[1] == "</script><script>alert(1)</script>\x1b[31mred\ufffd");
  CHECK(part("data-texts")["texts"][1]["turns"][0]["completion"] ==
        "</script><script>alert(1)</script>\x1b[31mred\ufffd");
}

TEST_CASE("the page loads nothing") {
  const std::string page = page_of(example_reports());
  CHECK(page.find("default-src 'none'") != std::string::npos);
  for (const char* word : {" src=", "<link", "@import", "url(", "fetch(", "innerHTML"})
    CHECK(page.find(word) == std::string::npos);
}

TEST_CASE("the same sample is in the page once for all models") {
  const ReportSet set = example_reports();
  const SampleData data = sample_data(Grid(set), 1'000'000);
  const Json texts = parse_json(data.texts, "texts");
  CHECK(texts["samples"].size() == 6);  // four of infrawise, two of arc_easy
  CHECK(texts["texts"].size() == 10);
  CHECK(parse_json(data.head, "head")["models"].size() == 2);
}

TEST_CASE("what a model read holds its messages by their place") {
  ReportSet set = example_reports();
  set.reports.resize(1);
  set.records = [](std::size_t, const std::function<void(const Record&)>& fn) {
    Record record = generated_record("0", Verdict::kCorrect, "yes");
    record.turns[0].completion.prompt_text = "<s>Be short.</s><u>Does <it> run?</u>";
    fn(record);
  };
  const Json data = parse_json(sample_data(Grid(set), 1'000'000).texts, "texts");
  CHECK(data["strings"] == Json({"Be short.", "Does <it> run?"}));
  CHECK(data["texts"][0]["turns"][0]["read"] == Json({"<s>", 0, "</s><u>", 1, "</u>"}));
}

TEST_CASE("texts over the limit are left out and the rows stay") {
  const ReportSet set = example_reports();
  const SampleData data = sample_data(Grid(set), 100);
  CHECK(data.texts.empty());
  CHECK(data.records == 10);
  CHECK(parse_json(data.head, "head")["runs"][0]["n"] == 4);
  const Json columns = parse_json(data.runs[0], "run");
  CHECK(columns["verdict"] == "0,1,2,1");
  CHECK_FALSE(columns.contains("text"));
}

TEST_CASE("no text of a sample breaks the columns") {
  ReportSet set = example_reports();
  set.reports.resize(1);
  set.comparisons = {};
  set.records = [](std::size_t, const std::function<void(const Record&)>& fn) {
    for (const char* id : {"a\x7fz", "b,\n\"", "c"}) fn(generated_record(id, Verdict::kCorrect, "x\xe2\x82"));
  };
  const Json columns = parse_json(sample_data(Grid(set), 1'000'000).runs[0], "run");
  CHECK(columns["id"] ==
        "a\u2421z\x7f"
        "b,\n\"\x7f"
        "c");
  CHECK(split(columns["answer"].get_ref<const std::string&>(), '\x7f').size() == 3);
  CHECK(columns["values"][0] == "1.0,1.0,1.0");
  CHECK(columns["values"][1] == "null,null,null");
}

TEST_CASE("a stable page has no time of a sample") {
  const ReportSet set = stable_example();
  const SampleData data = sample_data(Grid(set), 1'000'000);
  CHECK_FALSE(parse_json(data.runs[0], "run").contains("ms"));
  CHECK_FALSE(parse_json(data.head, "head")["runs"][0].contains("id"));
  const ReportSet timed = example_reports();
  CHECK(parse_json(sample_data(Grid(timed), 1'000'000).runs[0], "run")["ms"] == "120.0,120.0,120.0,120.0");
}

TEST_CASE("a second run of one task on one model is a column of its own, headed by its number") {
  ReportSet set = example_reports();
  set.reports.push_back(set.reports.front());
  set.reports.back().execution->id = RunId{31};
  const Grid grid(set);
  CHECK(grid.models() ==
        std::vector<std::string>{"smollm2-135m, runs 12, 14", "gpt-4o (openai)", "smollm2-135m, run 31"});
  CHECK(grid.report_at(0, 2) == 3);
  CHECK_FALSE(grid.report_at(1, 1));
  for (Report& report : set.reports) report.execution.reset();
  CHECK(Grid(set).models().back() == "smollm2-135m, 2");
}

TEST_CASE("plots share an axis from 0 to a round number") {
  Scale scale("fraction");
  Metric metric{"acc", "fraction", Direction::kHigherIsBetter, true,
                Estimate{0.1, 0.05, 0.17, {}, 10, {}, {}}};
  scale.include(metric);
  CHECK(scale.end() == 0.2);
  CHECK(scale.percent(0.1) == 50);
  CHECK(scale.label(1) == "20 %");
  metric.unit = "perplexity";
  metric.estimate->high = 900;
  scale.include(metric);
  CHECK(scale.end() == 0.2);
  CHECK_FALSE(scale.fits(metric));
  Scale other("perplexity");
  other.include(metric);
  CHECK(other.end() == 1000);
}

TEST_CASE("an axis of differences has 0 in the middle and ends where two shares can differ no more") {
  DifferenceScale scale("fraction");
  scale.include(Estimate{-0.1, -0.17, -0.02, 0.05, 10, {}, {}}, "fraction");
  scale.include(Estimate{-90, -95, -80, 1, 10, {}, {}}, "nats");
  CHECK(scale.axis().find(">-20<") != std::string::npos);
  CHECK(scale.track(Estimate{0.1, {}, {}, {}, 10, {}, {}}).find("x=\"75.00%\"") != std::string::npos);
  CHECK_FALSE(scale.fits("nats"));
  scale.include(Estimate{0.83, 0.45, 1.22, 0.2, 6, {}, {}}, "fraction");
  CHECK(scale.axis().find(">+100<") != std::string::npos);
}

TEST_CASE("gzip names no time and is the same for the same bytes") {
  const std::string text(10'000, 'x');
  const std::string packed = gzip(text);
  CHECK(packed.size() < 200);
  CHECK(packed.substr(0, 2) == "\x1f\x8b");
  CHECK(packed.substr(4, 4) == std::string(4, '\0'));
  CHECK(gzip(text) == packed);
}

}  // namespace micius
