#include "base/json.h"

#include <memory>

#include "core/names.h"
#include "core/report_writer.h"
#include "core/run.h"

namespace micius {
namespace {

Json estimate_json(const Estimate& e) {
  Json json = {{"value", e.value}};
  if (e.low) json["low"] = *e.low;
  if (e.high) json["high"] = *e.high;
  if (e.stderr_) json["stderr"] = *e.stderr_;
  json["n"] = e.n;
  return json;
}

Json to_json(const Metric& metric) {
  const Estimate& e = *metric.estimate;
  Json json = {{"name", metric.name},
               {"unit", metric.unit},
               {"primary", metric.primary},
               {"higher_is_better", metric.direction == Direction::kHigherIsBetter}};
  json.update(estimate_json(e));
  if (e.clusters) json["clusters"] = *e.clusters;
  if (e.n_effective) json["n_effective"] = *e.n_effective;
  if (metric.floor) json["floor"] = *metric.floor;
  if (metric.ceiling) json["ceiling"] = *metric.ceiling;
  return json;
}

// A metric without an estimate is absent.
Json to_json(const std::vector<Metric>& metrics) {
  Json list = Json::array();
  for (const Metric& metric : metrics)
    if (metric.estimate) list.push_back(to_json(metric));
  return list;
}

Json options_of(const RunSpec& spec) {
  const Json all = spec_json(spec);
  Json options = all.at("options");
  for (const char* key : {"shots", "shot_pool", "style", "repeats", "turn_max_tokens", "scorer",
                          "task_params", "model_options"})
    options[key] = all.at(key);
  return options;
}

Json run_of(const Report& report) {
  const RunSpec& spec = report.spec;
  Json run = Json::object();
  if (report.execution) run["id"] = static_cast<std::int64_t>(report.execution->id);
  run["task"] = spec.task;
  run["task_version"] = spec.task_version;
  run["suite"] = spec.suite;
  run["status"] = name_of(report.status);
  run["model"] = {{"name", spec.model.name}, {"kind", spec.model.kind}};
  if (!spec.model.sha256.empty()) run["model"]["sha256"] = spec.model.sha256;
  if (!spec.model.url.empty()) run["model"]["url"] = spec.model.url;
  run["dataset"] = {
      {"name", spec.dataset.name}, {"sha256", spec.dataset.sha256}, {"samples", spec.dataset.samples}};
  if (!spec.dataset.is_published) run["dataset"]["published_split"] = false;
  if (!spec.notes.empty()) run["notes"] = spec.notes;
  run["options"] = options_of(spec);
  run["spec_sha256"] = spec_sha256(spec);
  if (report.execution) {
    run["started"] = report.execution->started;
    if (!report.execution->finished.empty()) run["finished"] = report.execution->finished;
  }
  run["tags"] = spec.tags;
  return run;
}

Json to_json(const Counts& c) {
  return {{"total", c.total},         {"scored", c.scored},
          {"unscored", c.unscored},   {"failed", c.failed},
          {"no_answer", c.no_answer}, {"truncated", c.truncated},
          {"empty", c.empty},         {"cut", c.cut},
          {"refused", c.refused},     {"think_only", c.think_only},
          {"unparsed", c.unparsed},   {"ended", c.ended}};
}

Json to_json(const Effort& effort) {
  Json json = Json::object();
  if (effort.prompt_tokens) json["prompt_tokens"] = estimate_json(*effort.prompt_tokens);
  if (effort.completion_tokens) json["completion_tokens"] = estimate_json(*effort.completion_tokens);
  if (effort.tokens) json["tokens"] = estimate_json(*effort.tokens);
  if (effort.cost_usd) json["cost_usd"] = estimate_json(*effort.cost_usd);
  return json;
}

Json readings_of(const Report& report) {
  Json list = Json::array();
  for (const Readings& r : report.readings)
    list.push_back({{"metric", r.metric},
                    {"first", r.first},
                    {"second", r.second},
                    {"n", r.n},
                    {"only_first", r.only_first},
                    {"only_second", r.only_second}});
  return list;
}

Json wrong_of(const Report& report) {
  Json list = Json::array();
  for (const WrongReason& reason : report.wrong.reasons)
    list.push_back({{"reason", reason.words}, {"n", reason.n}});
  return {{"n", report.wrong.n}, {"reasons", list}};
}

Json timing_of(const Execution& execution) {
  Json json = {{"wall_ns", execution.wall_ns}, {"samples_per_s", execution.samples_per_s}};
  if (execution.work) {
    json["forwarded_tokens"] = execution.work->forwarded;
    json["naive_tokens"] = execution.work->naive;
  }
  if (const auto& s = execution.seconds) {
    json["seconds_per_sample"] = estimate_json(s->mean);
    json["latency_s"] = {{"p50", s->p50}, {"p90", s->p90}, {"p99", s->p99}};
  }
  return json;
}

Json groups_of(const Report& report) {
  Json list = Json::array();
  for (const Group& group : report.groups)
    list.push_back(
        {{"by", group.by}, {"key", group.key}, {"n", group.n}, {"metrics", to_json(group.metrics)}});
  return list;
}

Json published_of(const Report& report) {
  Json list = Json::array();
  for (const Published& p : report.published) {
    Json row = {{"source", p.source}, {"model", p.model}, {"metric", p.metric}};
    if (!p.group.empty()) row["group"] = p.group;
    row["value"] = p.value;
    row["note"] = p.note;
    list.push_back(std::move(row));
  }
  return list;
}

Json to_json(const Usage& u) {
  Json json = {{"prompt_tokens", u.prompt_tokens},
               {"cached_tokens", u.cached_tokens},
               {"completion_tokens", u.completion_tokens}};
  if (u.requests) json["requests"] = *u.requests;
  if (u.retries) json["retries"] = *u.retries;
  json["cost_usd"] = u.cost_usd ? Json(*u.cost_usd) : Json();
  return json;
}

Json to_json(const Report& report) {
  Json json = {{"run", run_of(report)},
               {"counts", to_json(report.counts)},
               {"metrics", to_json(report.metrics)},
               {"groups", groups_of(report)},
               {"published", published_of(report)},
               {"usage", to_json(report.usage)},
               {"per_sample", to_json(report.effort)}};
  if (!report.readings.empty()) json["readings"] = readings_of(report);
  if (!report.wrong.reasons.empty()) json["wrong"] = wrong_of(report);
  if (report.execution) {
    json["timing"] = timing_of(*report.execution);
    json["environment"] = report.execution->environment;
  }
  return json;
}

Json to_json(const Aggregate& aggregate, const ReportSet& set) {
  Json json = {{"name", aggregate.name}, {"model", aggregate.model}};
  Json runs = Json::array();
  for (const std::size_t report : aggregate.reports)
    if (const auto& execution = set.reports[report].execution)
      runs.push_back(static_cast<std::int64_t>(execution->id));
  if (!runs.empty()) json["runs"] = std::move(runs);
  json["metrics"] = to_json(aggregate.metrics);
  return json;
}

class JsonWriter final : public ReportWriter {
 public:
  std::string_view format() const override { return "json"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    Json reports = Json::array();
    for (const Report& report : set.reports) reports.push_back(to_json(report));
    Json aggregates = Json::array();
    for (const Aggregate& aggregate : set.aggregates) aggregates.push_back(to_json(aggregate, set));
    out << dump_json({{"schema", "micius.report/1"}, {"reports", reports}, {"aggregates", aggregates}})
        << '\n';
  }
};

}  // namespace

std::unique_ptr<ReportWriter> make_json_writer(const ReportStyle&) { return std::make_unique<JsonWriter>(); }

}  // namespace micius
