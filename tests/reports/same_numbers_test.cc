// Every format is read back and holds the numbers of the one report that all were made from.
#include <charconv>
#include <map>
#include <sstream>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "reports/comparison.h"
#include "reports/example_reports.h"
#include "reports/html_internal.h"
#include "reports/latex_table.h"
#include "reports/layout_internal.h"
#include "reports/markdown_internal.h"
#include "reports/registry.h"

namespace micius {
namespace {

std::string written(const std::string& format) {
  ReportStyle style;
  style.groups = true;
  style.width = 200;
  std::ostringstream out;
  report_registry().get(format)(style)->write(example_reports(), out);
  return out.str();
}

// What lies between the first `begin` and the next `end`.
std::string between(const std::string& text, const std::string& begin, const std::string& end) {
  const std::size_t from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const std::size_t start = from + begin.size();
  return text.substr(start, text.find(end, start) - start);
}

void check_same(const Json& found, const Estimate& e) {
  CHECK(found["value"] == e.value);
  CHECK(found["low"] == *e.low);
  CHECK(found["high"] == *e.high);
  CHECK(found["n"] == e.n);
}

// Calls fn for every metric with an estimate: of a run, or of a group of it.
template <typename Fn>
void for_metrics(Fn fn) {
  const ReportSet set = example_reports();
  for (std::size_t i = 0; i < set.reports.size(); ++i) {
    for (const Metric& metric : set.reports[i].metrics)
      if (metric.estimate) fn(i, set.reports[i], nullptr, metric);
    for (const Group& group : set.reports[i].groups)
      for (const Metric& metric : group.metrics) fn(i, set.reports[i], &group, metric);
  }
}

std::string line_with(const std::string& text, const std::vector<std::string>& words) {
  for (const std::string_view line : split(text, '\n')) {
    const bool has_all = std::all_of(words.begin(), words.end(),
                                     [&](const std::string& word) { return line.find(word) != line.npos; });
    if (has_all) return std::string(line);
  }
  return "";
}

}  // namespace

TEST_CASE("JSON has the report's numbers") {
  const Json json = parse_json(written("json"), "report");
  for_metrics([&](std::size_t i, const Report&, const Group* group, const Metric& metric) {
    const Json& report = json["reports"][i];
    bool found = false;
    const auto look = [&](const Json& metrics) {
      for (const Json& m : metrics) {
        if (m["name"] != metric.name) continue;
        check_same(m, *metric.estimate);
        found = true;
      }
    };
    if (group == nullptr) {
      look(report["metrics"]);
    } else {
      for (const Json& g : report["groups"])
        if (g["key"] == group->key) look(g["metrics"]);
    }
    CHECK(found);
  });
}

TEST_CASE("CSV has the report's numbers") {
  const std::string csv = written("csv");
  for_metrics([&](std::size_t, const Report& report, const Group* group, const Metric& metric) {
    const Estimate& e = *metric.estimate;
    const std::string line = line_with(
        csv, {fmt::format("{},{},", static_cast<std::int64_t>(report.execution->id), report.spec.task),
              group == nullptr ? ",,," + metric.name : "," + group->key + "," + metric.name});
    INFO(line);
    CHECK(line.find(fmt::format(",{},{},{},", e.value, *e.low, *e.high)) != std::string::npos);
  });
}

TEST_CASE("money is the same in every format") {
  const Report report = example_reports().reports[1];
  const Json json = parse_json(written("json"), "report")["reports"][1];
  CHECK(json["usage"]["cost_usd"] == *report.usage.cost_usd);
  CHECK(json["per_sample"]["cost_usd"]["value"] == report.effort.cost_usd->value);
  const std::string sum = money_text(*report.usage.cost_usd);
  CHECK(sum == "$5.69");
  for (const char* format : {"text", "md", "html"}) {
    INFO(format);
    CHECK(written(format).find(sum) != std::string::npos);
  }
  CHECK(written("html").find(">" + money_text(report.effort.cost_usd->value) + "<") != std::string::npos);
  CHECK(money_text(0.00123) == "$0.0012");
  CHECK(money_text(0.099) == "$0.099");
  CHECK(money_text(0) == "$0.00");
  CHECK(money_text(12345.678) == "$12345.68");
}

TEST_CASE("what was wrong is counted the same in JSON, Markdown and on the page") {
  const std::string page = written("html");
  const std::string markdown = written("md");
  const Json json = parse_json(written("json"), "report");
  const std::vector<Report> reports = example_reports().reports;
  std::size_t found = 0;
  for (std::size_t i = 0; i < reports.size(); ++i) {
    const WrongAnswers& wrong = reports[i].wrong;
    if (wrong.reasons.empty()) continue;
    CHECK(json["reports"][i]["wrong"]["n"] == wrong.n);
    CHECK(page.find(fmt::format("<small>of {}</small>", wrong.n)) != std::string::npos);
    CHECK(markdown.find(fmt::format("| reason | of {} |", wrong.n)) != std::string::npos);
    for (std::size_t j = 0; j < wrong.reasons.size(); ++j, ++found) {
      const WrongReason& reason = wrong.reasons[j];
      CHECK(json["reports"][i]["wrong"]["reasons"][j] == Json({{"reason", reason.words}, {"n", reason.n}}));
      CHECK(markdown.find(fmt::format("| {} | {} |", markdown_cell(reason.words), reason.n)) !=
            std::string::npos);
      const std::string words =
          j == 0 ? "reason%3A%20records%20missed" : "reason%3A%20Baseline%20is%20%3Cb%3E";
      CHECK(page.find(fmt::format(R"(#samples?run={}&amp;q={}">{}<)", i, words, reason.n)) !=
            std::string::npos);
    }
  }
  CHECK(found == 4);
}

TEST_CASE("Markdown and text have the report's numbers") {
  const std::string text = written("text");
  const std::string md = replace_all(replace_all(written("md"), "\\", ""), "&lt;", "<");
  for_metrics([&](std::size_t, const Report& report, const Group* group, const Metric& metric) {
    const std::string value = value_text(metric), interval = interval_text(metric);
    INFO(metric.name << ' ' << value << ' ' << interval);
    const std::string row =
        fmt::format("{} | {} | {} | {} |", metric.name, value, interval, metric.estimate->n);
    CHECK(md.find(row) != std::string::npos);
    if (!metric.primary && group == nullptr) return;  // text has the primaries, and theirs by group
    const std::string line = line_with(
        text, {group == nullptr ? report.spec.task : group->key, format_percent(metric.estimate->value)});
    INFO(line);
    const std::string low = number_text(*metric.estimate->low, metric.unit);
    CHECK(line.find(low) != std::string::npos);
  });
}

TEST_CASE("LaTeX has the report's primaries") {
  const std::vector<LatexTable> tables = read_latex(written("latex"));
  REQUIRE(tables.size() == 1);
  const auto& rows = tables.front().rows;  // tasks, metrics, then the models
  REQUIRE(rows.size() == 4);
  std::size_t found = 0;
  const auto check = [&](const std::string& task, const std::string& model, const Metric& metric) {
    for (std::size_t column = 1; column < rows[0].size(); ++column) {
      if (rows[0][column].text != task) continue;
      CHECK(rows[1][column].text == metric.name + " (%)");
      for (std::size_t row = 2; row < rows.size(); ++row) {
        if (rows[row][0].text != model) continue;
        ++found;
        CHECK(rows[row][column].text == fmt::format("{} [{}]",
                                                    number_text(metric.estimate->value, metric.unit),
                                                    interval_text(metric, ", ")));
      }
    }
  };
  for_metrics([&](std::size_t, const Report& report, const Group* group, const Metric& metric) {
    if (metric.primary && group == nullptr) check(report.spec.task, model_text(report.spec.model), metric);
  });
  const Aggregate aggregate = example_reports().aggregates.front();
  check(aggregate.name, "gpt-4o (openai)", aggregate.metrics.front());
  CHECK(found == 3);
  CHECK(rows[2][2].text == "-");  // arc_easy failed in part
}

TEST_CASE("the page has the report's numbers, in its tables and in its data") {
  const std::string page = written("html");
  const Json data = parse_json(between(page, "type=\"application/json\">", "</script>"), "page");
  for_metrics([&](std::size_t i, const Report&, const Group* group, const Metric& metric) {
    const Estimate& e = *metric.estimate;
    const std::string cells = fmt::format(
        R"(<td class="num"><b>{}</b></td><td class="num interval">{}</td><td class="num count">{}</td>)",
        value_text(metric), interval_text(metric, "\u2009\u2013\u2009"), e.n);
    CHECK(page.find(cells) != std::string::npos);
    if (group != nullptr) return;
    bool found = false;
    for (const Json& m : data["runs"][i]["metrics"]) {
      if (m[0] != metric.name) continue;
      CHECK(m == Json({metric.name, metric.unit, metric.primary, e.n, e.value, *e.low, *e.high}));
      found = true;
    }
    CHECK(found);
  });
  const Comparison c = example_reports().comparisons.comparisons.front();
  CHECK(data["comparisons"][0]["difference"] == c.difference.value);
  CHECK(data["comparisons"][0]["flips"] == c.flips.size());
}

TEST_CASE("every format of a comparison has its numbers") {
  const ReportSet set = example_reports();
  const Comparison& c = set.comparisons.comparisons.front();
  std::map<std::string, std::string> texts;
  for (const auto& entry : comparison_registry().entries()) {
    std::ostringstream out;
    ComparisonStyle style;
    style.report.width = 200;
    entry.factory.write(set, style, out);
    texts[entry.name] = out.str();
  }
  const Json json = parse_json(texts.at("json"), "comparison");
  CHECK(json["difference"]["value"] == c.difference.value);
  CHECK(json["difference"]["low"] == *c.difference.low);
  CHECK(json["wins"]["b"] == c.wins.loss);
  CHECK(json["tests"][0]["p_adjusted"] == c.tests[0].p_adjusted);
  CHECK(json["minimum_detectable_effect"] == *c.detectable);
  for (const char* word : {"-25.0", "-75.0", "30.0", "1.000", "90.0 points"})
    for (const char* format : {"text", "md", "html"}) {
      INFO(format << ": " << word);
      CHECK(texts.at(format).find(word) != std::string::npos);
    }
  CHECK(texts.at("md").find("| 0 / 3 / 1 |") != std::string::npos);
  CHECK(texts.at("html").find("<small>0 / 3 / 1</small>") != std::string::npos);
}

}  // namespace micius
