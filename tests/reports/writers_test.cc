#include <sstream>

#include <catch2/catch.hpp>

#include "base/json.h"
#include "base/text.h"
#include "reports/command.h"
#include "reports/csv_internal.h"
#include "reports/example_reports.h"
#include "reports/golden.h"
#include "reports/registry.h"
#include "reports/xml_internal.h"

namespace micius {
namespace {

std::string written(const std::string& format, const ReportSet& set, const ReportStyle& style = {}) {
  std::ostringstream out;
  report_registry().get(format)(style)->write(set, out);
  return out.str();
}

ReportStyle with_groups(std::size_t width) {
  ReportStyle style;
  style.groups = true;
  style.width = width;
  return style;
}

// What of a report people can review: JSON over many lines, HTML without its style sheet and script.
std::string reviewable(const std::string& format, const std::string& text) {
  if (format == "json") return parse_json(text, "report").dump(1) + "\n";
  if (format != "html") return text;
  const std::size_t start = text.find("</head>\n") + std::string("</head>\n").size();
  return text.substr(start, text.find("<script>\"use strict\"") - start);
}

}  // namespace

TEST_CASE("every format equals its approved file") {
  const auto registry = report_registry();
  for (const auto& entry : registry.entries()) {
    INFO(entry.name);
    check_golden("report." + entry.name,
                 reviewable(entry.name, written(entry.name, example_reports(), with_groups(120))));
  }
}

TEST_CASE("JUnit with a case a sample") {
  ReportStyle style;
  style.samples = true;
  check_golden("report_samples.junit", written("junit", example_reports(), style));
  CHECK(written("junit", stable_example(), style).find(" time=") == std::string::npos);
}

TEST_CASE("XML holds what a model wrote, whatever it is") {
  CHECK(xml_text("a<b>&\"c\"") == "a&lt;b&gt;&amp;&quot;c&quot;");
  CHECK(xml_text("x\xEF\xBF\xBEy\xEF\xBF\xBFz\xEF\xBF\xBD") ==
        "x\xEF\xBF\xBDy\xEF\xBF\xBDz\xEF\xBF\xBD");  // U+FFFE, U+FFFF, U+FFFD
  CHECK(xml_text("\x1b[2J") == "\xE2\x90\x9B[2J");
}

TEST_CASE("what a model wrote is no formula of a spreadsheet") {
  for (const char* text : {"=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "-", "=", "+", "--5", "-inf"})
    CHECK(csv_field(text) == std::string("'") + text);
  CHECK(csv_field("=a,\"b\"") == "\"'=a,\"\"b\"\"\"");
  CHECK(csv_field("\r=1") == "\"'\r=1\"");
  for (const char* text : {"-1", "+1", "-0.5", "1e-05", "-1.5e+300", "x=1", "", "'=1", "a - b"})
    CHECK(csv_field(text) == text);
}

TEST_CASE("JSON is one line with no blanks between its parts") {
  const std::string text = written("json", example_reports());
  CHECK(text == dump_json(parse_json(text, "report")) + "\n");
}

TEST_CASE("every writer is named as its format") {
  const auto registry = report_registry();
  for (const auto& entry : registry.entries()) CHECK(entry.factory({})->format() == entry.name);
}

TEST_CASE("no line of a text report is wider than the terminal") {
  for (const std::size_t width : {60, 80, 100, 120, 200}) {
    const std::string text = written("text", example_reports(), with_groups(width));
    for (const std::string_view line : split(text, '\n')) {
      INFO(line);
      CHECK(code_points(line) <= width);
    }
  }
}

TEST_CASE("columns of a text report fall away from the right, never the interval") {
  const std::string wide = written("text", example_reports(), with_groups(130));
  CHECK(wide.find(" time") != std::string::npos);
  CHECK(wide.find("left out") == std::string::npos);
  const std::string narrow = written("text", example_reports(), with_groups(80));
  CHECK(narrow.find("  time") == std::string::npos);
  CHECK(narrow.find("left out at 80 columns: failed, no answer, tokens in/out, time;") != std::string::npos);
  CHECK(narrow.find("95 % interval") != std::string::npos);
}

TEST_CASE("colour marks state and is only there if asked for") {
  ReportStyle style;
  CHECK(written("text", example_reports(), style).find('\x1b') == std::string::npos);
  style.colour = true;
  CHECK(written("text", example_reports(), style).find("\x1b[31m") != std::string::npos);
}

TEST_CASE("a stable report has nothing of one execution") {
  const auto registry = report_registry();
  for (const auto& entry : registry.entries()) {
    const std::string text = written(entry.name, stable_example());
    INFO(entry.name);
    CHECK(text.find("2026-01-02") == std::string::npos);
    CHECK(text.find("Example CPU") == std::string::npos);
    CHECK(text.find("3 min 4 s") == std::string::npos);
  }
}

TEST_CASE("JSON leaves out what is absent") {
  const Json json = parse_json(written("json", stable_example()), "report");
  CHECK(json["schema"] == "micius.report/1");
  const Json& arc = json["reports"][2];
  CHECK(arc["metrics"].empty());
  CHECK_FALSE(arc["run"].contains("id"));
  CHECK_FALSE(arc.contains("timing"));
  CHECK_FALSE(arc["usage"].contains("requests"));
  CHECK(arc["usage"]["cost_usd"].is_null());
  CHECK_FALSE(json["reports"][0]["groups"][1]["metrics"][0].contains("stderr"));
}

TEST_CASE("the command that repeats a run") {
  RunSpec spec = example_reports().reports[1].spec;
  CHECK(repeat_command(spec) ==
        "micius run infrawise --model openai:gpt-4o@https://api.example.com/v1 --limit 4 --shots 0 "
        "--max-tokens 256 --chat-template off");
  spec.task_source = "my tasks/it's.json";
  spec.model = {"smollm2-135m", "engine", "", ""};
  spec.dataset.samples = 4;
  spec.repeats = 3;
  spec.options.temperature = 0.7;
  CHECK(repeat_command(spec) ==
        "micius run 'my tasks/it'\\''s.json' --model smollm2-135m --shots 0 --repeats 3 --max-tokens 256 "
        "--temperature 0.7 --chat-template off");
}

TEST_CASE("the command that repeats a run has all that may change an answer") {
  RunSpec spec = example_reports().reports[0].spec;
  spec.sample_ids = {"a", "b c"};
  spec.first_samples = false;
  spec.turn_max_tokens = {64};
  spec.style = PromptStyle::kOneTurn;
  spec.task_params = {{"mode", "oracle"}, {"system", "Be brief."}};
  spec.model_options["numerics"] = "fp32";
  spec.model_options["selective_v"] = "100,raw";
  spec.environment["gpu"] = nullptr;
  CHECK(repeat_command(spec).ends_with("--selective-v 100,raw"));
  spec.environment["gpu"] = "NVIDIA H100";
  CHECK_THAT(replay_command(spec, RunId{3}), !Catch::Contains("--device"));
  CHECK(repeat_command(spec) ==
        "micius run infrawise --model smollm2-135m --sample-ids 'a,b c' --shots 0 --chat-template on "
        "--shots-as text --system 'Be brief.' --task-params '{\"mode\":\"oracle\"}' --numerics fp32 "
        "--selective-v 100,raw --device cuda");
  spec.task_params = {{"prompt", "x"}, {"scorer", Json::object()}, {"fields", Json::object()}};
  spec.style = PromptStyle::kTurns;
  CHECK(repeat_command(spec) ==
        "micius run infrawise --model smollm2-135m --sample-ids 'a,b c' --shots 0 --numerics fp32 "
        "--selective-v 100,raw --device cuda");
}

}  // namespace micius
