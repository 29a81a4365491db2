#include "reports/gate.h"

#include <sstream>

#include <catch2/catch.hpp>

#include "reports/golden.h"

namespace micius {
namespace {

GateResult example() {
  GateCheck fell;
  fell.task = "cmdgen";
  fell.metric = "accuracy";
  fell.rule = "max_drop 0.02";
  fell.unit = "fraction";
  fell.baseline = 0.4;
  fell.current = 0.36;
  fell.difference = -0.04;
  fell.p = 0.0004;
  fell.verdict = GateVerdict::kFail;
  fell.reason = "worse by 4.0 points, more than 2.0 points (p = 0.0004); 19 of 480 samples got worse";
  fell.samples = {"cmdgen-1", "<b>|&\""};
  fell.worse = 19;
  fell.baseline_run = RunId{3};
  fell.current_run = RunId{7};
  GateCheck open = fell;
  open.task = "optiflow";
  open.verdict = GateVerdict::kInconclusive;
  open.reason = "did not change on 4 samples (p = 1.000): a fall of 2.0 points cannot be ruled out";
  open.samples.clear();
  open.worse = 0;
  GateCheck warned = open;
  warned.verdict = GateVerdict::kWarn;
  GateCheck cost;
  cost.metric = "cost";
  cost.rule = "max_usd 5";
  cost.unit = "USD";
  cost.current = 0;
  cost.reason = "local runs cost nothing";
  return {GateVerdict::kFail, {cost, warned, open, fell}};
}

}  // namespace

TEST_CASE("a gate's outcome in every format") {
  std::ostringstream text, markdown, json, junit, github;
  write_gate_text(example(), " --db x.db", 120, text);
  write_gate_markdown(example(), "", markdown);
  write_gate_json(example(), json);
  write_gate_junit(example(), "", junit);
  write_gate_github(example(), "", github);
  check_golden("gate.text", text.str());
  check_golden("gate.md", markdown.str());
  check_golden("gate.json", json.str());
  check_golden("gate.junit", junit.str());
  check_golden("gate.github", github.str());
}

TEST_CASE("a gate's text is as wide as the terminal") {
  std::ostringstream text;
  write_gate_text(example(), "", 80, text);
  std::istringstream lines(text.str());
  for (std::string line; std::getline(lines, line);) CHECK(line.size() <= 80);
}

TEST_CASE("an annotation's title ends where its text says") {
  GateCheck check;
  check.task = "a,b::c%\r\nd";
  check.metric = "acc";
  check.verdict = GateVerdict::kFail;
  check.reason = "50 %, x: y::z\nw";
  std::ostringstream out;
  write_gate_github({GateVerdict::kFail, {check}}, "", out);
  const std::string line = out.str().substr(0, out.str().find('\n'));
  CHECK(line.find("::error title=micius gate%2C fail%3A a%2Cb%3A%3Ac%25") == 0);
  CHECK(line.ends_with(" acc: 50 %25, x: y::z w"));
}

}  // namespace micius
