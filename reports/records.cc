#include "reports/records.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/json.h"
#include "base/text.h"
#include "core/cost.h"
#include "core/names.h"
#include "core/record_json.h"
#include "core/score_value.h"
#include "reports/csv_internal.h"

namespace micius {
namespace {

RunId id_of(const Report& report) { return report.execution ? report.execution->id : RunId{}; }

// The values that the records of these runs may have, in the order of their tasks.
std::vector<std::string> value_names(const ReportSet& set) {
  std::vector<std::string> names;
  for (const Report& report : set.reports) {
    for (const MetricInfo& metric : report.spec.metrics) {
      const std::string& name = metric.of.empty() ? metric.name : metric.of;
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

std::string value_field(const Record& record, const std::string& name) {
  const auto value = value_of(record.score, name);
  return value ? fmt::format("{}", *value) : "";
}

std::string number_field(const std::optional<double>& number) {
  return number ? fmt::format("{}", *number) : "";
}

// What was said, and what it took; sums are over the turns.
void add_turn_fields(const Record& record, std::vector<std::string>& row) {
  if (record.turns.empty()) return row.resize(row.size() + 6);
  const Completion &first = record.turns.front().completion, &last = record.turns.back().completion;
  std::int64_t prompt_tokens = 0, completion_tokens = 0, latency = 0;
  bool is_timed = true;  // no answer is from the cache
  for (const Turn& turn : record.turns) {
    prompt_tokens += turn.completion.prompt_tokens;
    completion_tokens += turn.completion.completion_tokens;
    const Timing& timing = turn.completion.timing;
    is_timed = is_timed && !turn.completion.from_cache;
    latency += ns_between(timing.planned, timing.done);
  }
  row.push_back(last.text);
  row.emplace_back(name_of(last.stop_reason));
  row.push_back(fmt::format("{}", prompt_tokens));
  row.push_back(fmt::format("{}", completion_tokens));
  row.push_back(first.timing.first_token
                    ? fmt::format("{}", ns_between(first.timing.planned, *first.timing.first_token))
                    : "");
  row.push_back(is_timed ? fmt::format("{}", latency) : "");
}

std::vector<std::string> row_of(const Report& report, const std::optional<Price>& price, const Record& record,
                                const std::vector<std::string>& names) {
  const bool good = !record.failure;
  std::vector<std::string> row = {fmt::format("{}", static_cast<std::int64_t>(id_of(report))),
                                  report.spec.task,
                                  report.spec.model.name,
                                  record.sample.id,
                                  fmt::format("{}", record.repeat),
                                  good ? std::string(name_of(record.score.verdict)) : ""};
  for (const std::string& name : names) row.push_back(value_field(record, name));
  row.push_back(record.score.answer);
  row.push_back(record.score.reason);
  add_turn_fields(record, row);
  row.push_back(good ? "" : record.failure->code);
  row.push_back(good ? "" : record.failure->message);
  row.push_back(number_field(paid_usd(price, record)));
  row.push_back(record.sample.input);
  row.push_back(record.sample.targets.empty() ? "" : record.sample.targets.front());
  return row;
}

void write_row(const std::vector<std::string>& row, const ByteSink& sink) {
  std::string line;
  for (const std::string& field : row) line += (line.empty() ? "" : ",") + csv_field(field);
  sink(line + "\r\n");
}

}  // namespace

void write_records_jsonl(const ReportSet& set, const ByteSink& sink) {
  for (std::size_t i = 0; i < set.reports.size(); ++i) {
    const RunSpec& spec = set.reports[i].spec;
    const std::optional<Price> price = price_of(spec);
    set.records(i, [&](const Record& record) {
      Json json = record_json(id_of(set.reports[i]), record);
      json["task"] = spec.task;
      json["model"] = spec.model.name;
      json["input"] = record.sample.input;
      json["choices"] = record.sample.choices;
      json["targets"] = record.sample.targets;
      if (const auto cost = paid_usd(price, record)) json["cost_usd"] = *cost;
      sink(dump_json(json) + "\n");
    });
  }
}

void write_records_csv(const ReportSet& set, const ByteSink& sink) {
  const std::vector<std::string> names = value_names(set);
  std::vector<std::string> heads = {"run_id", "task", "model", "sample_id", "repeat", "verdict"};
  heads.insert(heads.end(), names.begin(), names.end());
  for (const char* head :
       {"answer", "reason", "completion", "stop_reason", "prompt_tokens", "completion_tokens", "ttft_ns",
        "latency_ns", "failure_code", "failure_message", "cost_usd", "input", "target"})
    heads.emplace_back(head);
  write_row(heads, sink);
  for (std::size_t i = 0; i < set.reports.size(); ++i) {
    const Report& report = set.reports[i];
    const std::optional<Price> price = price_of(report.spec);
    set.records(i, [&](const Record& record) { write_row(row_of(report, price, record, names), sink); });
  }
}

}  // namespace micius
