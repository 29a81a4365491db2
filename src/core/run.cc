#include "core/run.h"

#include "base/error.h"
#include "base/hash.h"
#include "core/names.h"

namespace micius {
namespace {

Json to_json(const GenerateOptions& o) {
  return {{"max_tokens", o.max_tokens},
          {"temperature", o.temperature},
          {"top_k", o.top_k},
          {"top_p", o.top_p},
          {"min_p", o.min_p},
          {"stop", o.stop},
          {"seed", o.seed}};
}

GenerateOptions options_from_json(const JsonFields& f) {
  GenerateOptions o;
  o.max_tokens = static_cast<int>(f.integer("max_tokens"));
  o.temperature = f.number("temperature");
  o.top_k = static_cast<int>(f.integer("top_k"));
  o.top_p = f.number("top_p");
  o.min_p = f.number("min_p");
  o.stop = f.strings_or("stop", {});
  o.seed = static_cast<std::uint64_t>(f.integer("seed"));
  return o;
}

Json to_json(const std::vector<MetricInfo>& metrics) {
  Json list = Json::array();
  for (const MetricInfo& m : metrics) {
    list.push_back({{"name", m.name},
                    {"unit", m.unit},
                    {"direction", name_of(m.direction)},
                    {"reduction", name_of(m.reduction)}});
    if (!m.of.empty()) list.back()["of"] = m.of;
    if (m.reduction == Reduction::kPassAtK) list.back()["k"] = m.k;
  }
  return list;
}

std::vector<MetricInfo> metrics_from_json(const Json& list, const std::string& where) {
  std::vector<MetricInfo> metrics;
  for (const Json& item : list) {
    const JsonFields f(item, where);
    metrics.push_back({f.string("name"), f.string("unit"), direction_from(f.string("direction"), where),
                       reduction_from(f.string("reduction"), where), f.string_or("of", ""),
                       static_cast<int>(f.integer_or("k", 1))});
  }
  return metrics;
}

Json to_json(const ModelRef& m) {
  return {{"name", m.name}, {"kind", m.kind}, {"sha256", m.sha256}, {"url", m.url}};
}

// What of a model may change an answer: where its file is or how it was called does not.
Json model_identity(const ModelRef& m) {
  if (!m.sha256.empty()) return {{"kind", m.kind}, {"sha256", m.sha256}};
  return {{"kind", m.kind}, {"name", m.name}, {"url", m.url}};
}

std::vector<int> integers_from_json(const Json& list, const std::string& where) {
  std::vector<int> integers;
  for (const Json& item : list) {
    if (!item.is_number_integer()) fail(ErrorCode::kInvalidData, "{}: not a list of integers", where);
    integers.push_back(item.get<int>());
  }
  return integers;
}

}  // namespace

Json spec_json(const RunSpec& s) {
  return {
      {"task", s.task},
      {"task_version", s.task_version},
      {"dataset", {{"name", s.dataset.name}, {"sha256", s.dataset.sha256}, {"samples", s.dataset.samples}}},
      {"sample_ids", s.sample_ids},
      {"model", model_identity(s.model)},
      {"scorer", s.scorer},
      {"shots", s.shots},
      {"shot_pool", s.shot_pool},
      {"style", name_of(s.style)},
      {"options", to_json(s.options)},
      {"turn_max_tokens", s.turn_max_tokens},
      {"repeats", s.repeats},
      {"task_params", s.task_params},
      {"model_options", s.model_options}};
}

std::string spec_sha256(const RunSpec& spec) { return sha256_hex(dump_json(spec_json(spec))); }

Json to_json(const RunSpec& s) {
  Json json = spec_json(s);
  json["model"] = to_json(s.model);
  json["first_samples"] = s.first_samples;
  json["suite"] = s.suite;
  json["task_source"] = s.task_source;
  json["model_source"] = s.model_source;
  json["metrics"] = to_json(s.metrics);
  json["breakdowns"] = s.breakdowns;
  json["cluster"] = s.cluster;
  json["dataset"]["published"] = s.dataset.is_published;
  json["notes"] = s.notes;
  json["tags"] = s.tags;
  json["environment"] = s.environment;
  return json;
}

RunSpec run_spec_from_json(const Json& json, const std::string& where) {
  const JsonFields f(json, where);
  const JsonFields dataset = f.object("dataset"), model = f.object("model");
  RunSpec s;
  s.task = f.string("task");
  s.task_version = static_cast<int>(f.integer("task_version"));
  s.suite = f.string("suite");
  s.dataset = {dataset.string("name"), dataset.string("sha256"),
               static_cast<std::size_t>(dataset.integer("samples")), dataset.boolean_or("published", true)};
  s.sample_ids = f.strings_or("sample_ids", {});
  s.model = {model.string("name"), model.string("kind"), model.string("sha256"), model.string("url")};
  s.scorer = f.string("scorer");
  s.shots = static_cast<int>(f.integer("shots"));
  s.shot_pool = f.string("shot_pool");
  s.style = prompt_style_from(f.string("style"), where);
  s.options = options_from_json(f.object("options"));
  s.turn_max_tokens = integers_from_json(f.at("turn_max_tokens"), where + ".turn_max_tokens");
  s.repeats = static_cast<int>(f.integer("repeats"));
  s.task_params = f.at("task_params");
  s.model_options = f.at("model_options");
  s.first_samples = f.boolean_or("first_samples", true);
  s.task_source = f.string("task_source");
  s.model_source = f.string("model_source");
  s.metrics = metrics_from_json(f.at("metrics"), where);
  s.breakdowns = f.strings_or("breakdowns", {});
  s.cluster = f.string("cluster");
  s.notes = f.strings_or("notes", {});
  s.tags = f.at("tags");
  s.environment = f.at("environment");
  return s;
}

}  // namespace micius
