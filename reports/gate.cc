#include "reports/gate.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <vector>

#include <fmt/format.h>

#include "base/format.h"
#include "base/json.h"
#include "base/text.h"
#include "base/wrap.h"
#include "reports/columns_internal.h"
#include "reports/markdown_internal.h"
#include "reports/xml_internal.h"

namespace micius {
namespace {

std::string value_cell(const std::optional<double>& value, const std::string& unit) {
  return value ? format_value(*value, unit) : "-";
}

std::string task_of(const GateCheck& check) { return check.task.empty() ? "all runs" : check.task; }

// "cmdgen accuracy: worse by 4.0 points, ..; 5 of 480 samples got worse: cmdgen-1, cmdgen-2 and 3 more". Of a
// metric that moved the reason ends with what the samples are; others name theirs themselves.
std::string sentence(const GateCheck& check) {
  std::string text = fmt::format("{} {}: {}", task_of(check), check.metric, check.reason);
  if (check.samples.empty() || !check.difference) return text;
  text += ": " + join(check.samples, ", ");
  if (check.worse > check.samples.size())
    text += fmt::format(" and {} more", check.worse - check.samples.size());
  return text;
}

// The worst first.
std::vector<const GateCheck*> in_order(const GateResult& result) {
  std::vector<const GateCheck*> checks;
  for (const GateCheck& check : result.checks) checks.push_back(&check);
  std::stable_sort(checks.begin(), checks.end(),
                   [](const GateCheck* x, const GateCheck* y) { return x->verdict > y->verdict; });
  return checks;
}

// GitHub's workflow commands: a message ends with its line, a property also at a colon or a comma.
std::string github_message(const std::string& text) {
  return replace_all(visible_line(text), "%", "%25");  // of one line, so there is no %0A or %0D
}

std::string github_property(const std::string& text) {
  return replace_all(replace_all(github_message(text), ":", "%3A"), ",", "%2C");
}

void write_case(const GateCheck& check, const std::string& places, std::ostream& out) {
  out << fmt::format("    <testcase classname=\"{}\" name=\"{}\"", xml_text(task_of(check)),
                     xml_text(check.metric + ", " + check.rule));
  if (check.verdict == GateVerdict::kPass) {
    out << "/>\n";
    return;
  }
  std::string body = sentence(check);
  if (check.baseline && check.current)
    body += fmt::format("\nbaseline {}, current {}", format_value(*check.baseline, check.unit),
                        format_value(*check.current, check.unit));
  if (const std::string command = gate_command(check, places); !command.empty()) body += "\n" + command;
  if (check.verdict == GateVerdict::kWarn) {
    out << fmt::format(">\n      <system-out>{}</system-out>\n    </testcase>\n", xml_text(body));
    return;
  }
  const char* element = check.verdict == GateVerdict::kFail ? "failure" : "error";
  out << fmt::format(">\n      <{} type=\"{}\" message=\"{}\">{}</{}>\n    </testcase>\n", element,
                     name_of(check.verdict), xml_text(check.reason), xml_text(body), element);
}

}  // namespace

std::string_view name_of(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::kPass:
      return "pass";
    case GateVerdict::kWarn:
      return "warn";
    case GateVerdict::kInconclusive:
      return "inconclusive";
    case GateVerdict::kFail:
      return "fail";
  }
  return "";
}

std::string gate_line(const GateResult& result) {
  std::map<GateVerdict, std::size_t> counts;
  for (const GateCheck& check : result.checks) ++counts[check.verdict];
  std::vector<std::string> parts;
  for (const GateVerdict verdict :
       {GateVerdict::kFail, GateVerdict::kInconclusive, GateVerdict::kWarn, GateVerdict::kPass})
    if (counts[verdict] > 0) parts.push_back(fmt::format("{} {}", counts[verdict], name_of(verdict)));
  const std::size_t n = result.checks.size();
  return fmt::format("gate: {} ({} check{}: {})", name_of(result.verdict), n, n == 1 ? "" : "s",
                     join(parts, ", "));
}

std::string gate_command(const GateCheck& check, const std::string& places) {
  if (!check.baseline_run || !check.current_run) return "";
  return fmt::format("micius compare {} {}{}", static_cast<std::int64_t>(*check.baseline_run),
                     static_cast<std::int64_t>(*check.current_run), places);
}

void write_gate_text(const GateResult& result, const std::string& places, std::size_t width,
                     std::ostream& out) {
  out << gate_line(result) << "\n\n";
  std::vector<Column> columns = {{"verdict", Align::kLeft, {}},     {"task", Align::kLeft, {}},
                                 {"metric", Align::kLeft, {}},      {"rule", Align::kLeft, {}},
                                 {"baseline", Align::kDecimal, {}}, {"current", Align::kDecimal, {}}};
  const std::vector<const GateCheck*> checks = in_order(result);
  for (const GateCheck* check : checks) {
    columns[0].cells.emplace_back(name_of(check->verdict));
    columns[1].cells.push_back(visible_line(task_of(*check)));
    columns[2].cells.push_back(visible_line(check->metric));
    columns[3].cells.push_back(visible_line(check->rule));
    columns[4].cells.push_back(value_cell(check->baseline, check->unit));
    columns[5].cells.push_back(value_cell(check->current, check->unit));
  }
  for (const std::string& line : lay_out(columns, width, columns.size()).lines) out << line << '\n';
  out << '\n';
  for (const GateCheck* check : checks) {
    std::string text = fmt::format("{}: {}", name_of(check->verdict), sentence(*check));
    const std::string command = gate_command(*check, places);
    if (check->verdict != GateVerdict::kPass && !command.empty()) text += fmt::format("; `{}`", command);
    out << wrap(visible_line(text), width, 2) << '\n';
  }
}

void write_gate_markdown(const GateResult& result, const std::string& places, std::ostream& out) {
  out << "**" << gate_line(result)
      << "**\n\n| verdict | task | metric | baseline | current | |\n|---|---|---|--:|--:|---|\n";
  for (const GateCheck* check : in_order(result))
    out << fmt::format("| {} | {} | {} | {} | {} | {} |\n", name_of(check->verdict),
                       markdown_cell(task_of(*check)), markdown_cell(check->metric),
                       value_cell(check->baseline, check->unit), value_cell(check->current, check->unit),
                       markdown_cell(check->reason));
  std::string folded;
  for (const GateCheck* check : in_order(result)) {
    const std::string command = gate_command(*check, places);
    if (check->verdict == GateVerdict::kPass || check->samples.empty()) continue;
    folded += fmt::format("- {}{}\n", markdown_cell(sentence(*check)),
                          command.empty() ? "" : fmt::format("; `{}`", command));
  }
  if (!folded.empty())
    out << "\n<details><summary>Samples to look at</summary>\n\n" << folded << "\n</details>\n";
}

void write_gate_json(const GateResult& result, std::ostream& out) {
  Json checks = Json::array();
  for (const GateCheck& check : result.checks) {
    Json json = {{"task", check.task}, {"metric", check.metric}, {"rule", check.rule}};
    if (check.baseline) json["baseline"] = *check.baseline;
    if (check.current) json["current"] = *check.current;
    if (check.difference) json["difference"] = *check.difference;
    if (check.p) json["p"] = *check.p;
    if (!check.unit.empty()) json["unit"] = check.unit;
    json["verdict"] = name_of(check.verdict);
    json["reason"] = check.reason;
    if (check.worse > 0) json["worse"] = {{"count", check.worse}, {"samples", check.samples}};
    checks.push_back(std::move(json));
  }
  out << dump_json({{"schema", "micius.gate/1"}, {"verdict", name_of(result.verdict)}, {"checks", checks}})
      << '\n';
}

void write_gate_junit(const GateResult& result, const std::string& places, std::ostream& out) {
  std::vector<std::string> tasks;
  for (const GateCheck& check : result.checks)
    if (std::find(tasks.begin(), tasks.end(), task_of(check)) == tasks.end()) tasks.push_back(task_of(check));
  out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"micius gate\">\n";
  for (const std::string& task : tasks) {
    const auto count = [&](auto&& wanted) {
      return std::count_if(result.checks.begin(), result.checks.end(), [&](const GateCheck& check) {
        return task_of(check) == task && wanted(check.verdict);
      });
    };
    out << fmt::format("  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"0\">\n",
                       xml_text(task), count([](GateVerdict) { return true; }),
                       count([](GateVerdict v) { return v == GateVerdict::kFail; }),
                       count([](GateVerdict v) { return v == GateVerdict::kInconclusive; }));
    for (const GateCheck& check : result.checks)
      if (task_of(check) == task) write_case(check, places, out);
    out << "  </testsuite>\n";
  }
  out << "</testsuites>\n";
}

void write_gate_github(const GateResult& result, const std::string& places, std::ostream& out) {
  for (const GateCheck* check : in_order(result)) {
    if (check->verdict == GateVerdict::kPass) continue;
    std::string text = sentence(*check);
    if (const std::string command = gate_command(*check, places); !command.empty()) text += "; " + command;
    const std::string title = fmt::format("micius gate, {}: {}", name_of(check->verdict), task_of(*check));
    out << fmt::format("::{} title={}::{}\n", check->verdict == GateVerdict::kWarn ? "warning" : "error",
                       github_property(title), github_message(text));
  }
  out << gate_line(result) << '\n';
}

}  // namespace micius
