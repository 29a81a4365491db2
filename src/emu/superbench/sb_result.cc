// sb result: reads results of nodes and writes tables of them.
#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "base/text.h"
#include "emu/superbench/sb_internal.h"

namespace micius::emu::superbench {
namespace {

// Of nodes and metrics that a diagnosis compares.
constexpr std::size_t kMostCells = 1'000'000;

using Metrics = std::map<std::string, double>;

struct NodeResult {
  std::string node;
  Metrics metrics;
};

// Lines of JSON objects, read without the order of their keys, which keeps the time linear; a line that is
// none is left out, as pandas' reader would refuse it.
std::optional<std::vector<NodeResult>> read_results(const std::string& text) {
  std::vector<NodeResult> nodes;
  for (std::string_view line : split(text, '\n')) {
    if (strip(line).empty()) continue;
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (!json.is_object() || nodes.size() >= 1'000) return std::nullopt;
    const auto name = json.find("node");
    NodeResult node{name != json.end() && name->is_string() ? name->get<std::string>() : "unknown", {}};
    for (const auto& [key, value] : json.items())
      if (value.is_number()) node.metrics[key] = value.get<double>();
    nodes.push_back(std::move(node));
  }
  return nodes;
}

int decimals(const Command& command) {
  const std::string text = command.parsed.value_or("--decimal-place-value", "2");
  return text.size() == 1 && text[0] >= '0' && text[0] <= '9' ? text[0] - '0' : 2;
}

// "kernel-launch/event_overhead" of "kernel-launch/event_overhead:3".
std::string group_of(const std::string& metric) { return metric.substr(0, metric.rfind(':')); }

struct Row {
  std::vector<std::string> cells;
};

// A table in the wanted form, under `name` with the form's suffix.
int write_table(const Command& command, const std::string& name, const std::vector<std::string>& heads,
                const std::vector<Row>& rows, const std::string& form) {
  Host& host = command.host;
  std::string text;
  const std::string suffix = form == "excel" ? "xlsx" : form;
  const auto cell_line = [](const std::vector<std::string>& cells, const char* open, const char* between,
                            const char* close) { return open + join(cells, between) + close; };
  if (form == "json" || form == "jsonl") {
    Json list = Json::array();
    for (const Row& row : rows) {
      Json object = Json::object();
      for (std::size_t i = 0; i < heads.size(); ++i) object[heads[i]] = row.cells[i];
      if (form == "jsonl") text += dump_json(object) + "\n";
      list.push_back(std::move(object));
    }
    if (form == "json") text = list.dump(2) + "\n";
  } else if (form == "html") {
    text = "<table>\n" + cell_line(heads, "<tr><th>", "</th><th>", "</th></tr>\n");
    for (const Row& row : rows) text += cell_line(row.cells, "<tr><td>", "</td><td>", "</td></tr>\n");
    text += "</table>\n";
  } else {
    text = cell_line(heads, "| ", " | ", " |\n") +
           cell_line(std::vector<std::string>(heads.size(), "---"), "| ", " | ", " |\n");
    for (const Row& row : rows) text += cell_line(row.cells, "| ", " | ", " |\n");
  }
  const std::string folder =
      command.parsed.has("--output-dir") ? command.parsed.value_or("--output-dir", ".") + "/" : "";
  host.write(folder + name + "." + suffix, text);
  host.print("Output results to {}{}.{}\n", folder, name, suffix);
  return 0;
}

int summary(const Command& command, const std::vector<NodeResult>& nodes, const std::string& rules) {
  std::map<std::string, std::vector<double>> groups;
  for (const NodeResult& node : nodes)
    for (const auto& [metric, value] : node.metrics) groups[group_of(metric)].push_back(value);
  std::vector<Row> rows;
  const int places = decimals(command);
  for (auto& [group, values] : groups) {
    std::sort(values.begin(), values.end());
    double sum = 0;
    for (double value : values) sum += value;
    for (const auto& [statistic, value] :
         {std::pair{"mean", sum / static_cast<double>(values.size())}, std::pair{"max", values.back()},
          std::pair{"min", values.front()}, std::pair{"p90", values[values.size() * 9 / 10]}})
      if (rules.find(statistic) != std::string::npos || statistic == std::string_view("mean"))
        rows.push_back({{group, statistic, fmt::format("{:.{}f}", value, places)}});
  }
  return write_table(command, "results-summary", {"metric", "statistics", "values"}, rows,
                     command.parsed.value_or("--output-file-format", "excel"));
}

// The rules say which benchmarks are looked at: those that are named in them.
int diagnosis(const Command& command, const std::vector<NodeResult>& nodes, const nlohmann::json& baseline,
              const std::string& rules) {
  std::set<std::string_view> benchmarks;  // "kernel-launch" of "- kernel-launch/event_time:0"
  for (const std::string_view word : split_words(rules)) benchmarks.insert(word.substr(0, word.find('/')));
  std::vector<Row> rows;
  const int places = decimals(command);
  for (const NodeResult& node : nodes) {
    std::vector<std::string> details;
    std::string category;
    for (const auto& [metric, expected] : baseline.items()) {
      const std::string_view benchmark = std::string_view(metric).substr(0, metric.find('/'));
      if (!expected.is_number() || benchmarks.count(benchmark) == 0) continue;
      const auto found = node.metrics.find(metric);
      if (found == node.metrics.end()) {
        details.push_back(metric + "_miss");
        category = "FailedTest";
        continue;
      }
      const double base = expected.get<double>();
      const double change = base == 0 ? found->second : found->second / base - 1;
      if (std::fabs(change) <= 0.05) continue;
      if (category.empty()) category = metric.substr(0, metric.find('/'));
      details.push_back(fmt::format("{}(B/L: {:.4f} VAL: {:.4f} VAR: {:.{}f}%)", metric, base, found->second,
                                    change * 100, places));
    }
    if (!details.empty() || command.parsed.has("--output-all"))
      rows.push_back(
          {{node.node, details.empty() ? "" : category, std::to_string(details.size()), join(details, ",")}});
  }
  return write_table(command, "diagnosis_summary",
                     {"index", "Category", "Number of Defects", "Defective Details"}, rows,
                     command.parsed.value_or("--output-file-format", "excel"));
}

int baseline(const Command& command, const std::vector<NodeResult>& nodes) {
  auto json = nlohmann::json::object();  // by name, as `metrics`; Json would look for each name in all
  std::map<std::string, std::vector<double>> metrics;
  for (const NodeResult& node : nodes)
    for (const auto& [metric, value] : node.metrics) metrics[metric].push_back(value);
  for (auto& [metric, values] : metrics) {
    std::sort(values.begin(), values.end());
    json[metric] = values[values.size() / 2];
  }
  const std::string folder =
      command.parsed.has("--output-dir") ? command.parsed.value_or("--output-dir", ".") + "/" : "";
  command.host.write(folder + "baseline.json", json.dump(2) + "\n");
  command.host.print("Output results to {}baseline.json\n", folder);
  return 0;
}

}  // namespace

int results(const Command& command) {
  Host& host = command.host;
  const bool diagnose = command.parsed.path == "result diagnosis",
             generate = command.parsed.path == "result generate-baseline";
  const std::string* data = need_file(command, "--data-file", "raw_data_file");
  if (data == nullptr) return 1;
  const char* rule_option = generate ? "--summary-rule-file" : "--rule-file";
  const std::string* rules = need_file(command, rule_option, "rule_file");
  if (rules == nullptr) return 1;
  if (generate && command.parsed.has("--diagnosis-rule-file") &&
      need_file(command, "--diagnosis-rule-file", "diagnosis_rule_file") == nullptr)
    return 1;
  const auto nodes = read_results(*data);
  if (!nodes || nodes->empty())
    return fail(host, "Analyzer: invalid raw data file - no results could be read.");
  if (generate) return baseline(command, *nodes);
  if (!diagnose) return summary(command, *nodes, *rules);
  const std::string* expected = need_file(command, "--baseline-file", "baseline_file");
  if (expected == nullptr) return 1;
  const auto json = nlohmann::json::parse(*expected, nullptr, false);
  if (!json.is_object() || nodes->size() * json.size() > kMostCells)
    return fail(host, "Analyzer: get baseline failed.");
  return diagnosis(command, *nodes, json, *rules);
}

}  // namespace micius::emu::superbench
