#include "reports/lm_eval.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <map>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "core/names.h"

namespace micius {
namespace {

// "exact_match,strict-match": the metric and lm-eval's filter, which is "none" where a task has one reading.
std::pair<std::string, std::string> metric_and_filter(const std::string& name) {
  const std::size_t comma = name.rfind(',');
  if (comma == std::string::npos) return {name, "none"};
  return {name.substr(0, comma), name.substr(comma + 1)};
}

// A file name as lm-eval makes it of a model's.
std::string sanitized(const std::string& name) {
  std::string result;
  bool inside = false;
  for (const char c : name) {
    const bool special = std::string_view("\"<>:/|\\?*[]").find(c) != std::string_view::npos;
    if (special && !inside) result += "__";
    if (!special) result += c;
    inside = special;
  }
  return result.empty() || result.front() == '.' ? "_" + result : result;
}

// As Python's str() writes them, since lm-eval's files hold them as text.
std::string python_float(double value) {
  if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".en") == std::string::npos ? text + ".0" : text;
}
const char* python_bool(bool value) { return value ? "True" : "False"; }

// The runs of one model whose files have one date.
struct Batch {
  ModelRef model;
  std::vector<std::size_t> reports;
  std::string date;
};

std::vector<Batch> batches_of(const ReportSet& set) {
  std::vector<Batch> batches;
  for (std::size_t i = 0; i < set.reports.size(); ++i) {
    const RunSpec& spec = set.reports[i].spec;
    auto it = std::find_if(batches.begin(), batches.end(), [&](const Batch& batch) {
      return sanitized(batch.model.name) == sanitized(spec.model.name) &&
             std::none_of(batch.reports.begin(), batch.reports.end(),
                          [&](std::size_t other) { return set.reports[other].spec.task == spec.task; });
    });
    if (it == batches.end()) it = batches.insert(batches.end(), Batch{spec.model, {}, ""});
    it->reports.push_back(i);
  }
  std::map<std::string, int> uses;  // of a folder and a second
  for (Batch& batch : batches) {
    std::string last;
    for (const std::size_t i : batch.reports)
      if (const auto& execution = set.reports[i].execution)
        last = std::max(last, execution->finished.empty() ? execution->started : execution->finished);
    if (last.ends_with('Z')) last.pop_back();
    batch.date =
        replace_all(last, ":", "-") + fmt::format(".{:06}", uses[sanitized(batch.model.name) + "/" + last]++);
  }
  return batches;
}

Json metrics_json(const Report& report) {
  Json json = {{"name", report.spec.task},
               {"alias", report.spec.task},
               {"sample_len", report.counts.scored / std::max(1, report.spec.repeats)}};
  for (const Metric& metric : report.metrics) {
    if (!metric.estimate) continue;
    const auto [name, filter] = metric_and_filter(metric.name);
    json[name + "," + filter] = metric.estimate->value;
    Json& error = json[name + "_stderr," + filter];
    if (metric.estimate->stderr_) {
      error = *metric.estimate->stderr_;
    } else {
      error = "N/A";
    }
  }
  return json;
}

Json task_config(const RunSpec& spec) {
  const bool greedy = spec.options.temperature == 0;
  Json kwargs = {{"until", spec.options.stop},
                 {"do_sample", !greedy},
                 {"temperature", spec.options.temperature},
                 {"max_gen_toks", spec.options.max_tokens}};
  Json metrics = Json::array();
  for (const MetricInfo& metric : spec.metrics)
    metrics.push_back({{"metric", metric_and_filter(metric.name).first},
                       {"higher_is_better", metric.direction == Direction::kHigherIsBetter}});
  return {{"task", spec.task},
          {"dataset_path", spec.dataset.name},
          {"num_fewshot", spec.shots},
          {"metric_list", metrics},
          {"generation_kwargs", kwargs},
          {"repeats", spec.repeats},
          {"metadata", {{"version", spec.task_version}, {"dataset_sha256", spec.dataset.sha256}}}};
}

Json results_json(const ReportSet& set, const Batch& batch,
                  const std::map<std::string, std::string>& hashes) {
  Json json = {{"results", Json::object()}, {"group_subtasks", Json::object()}};
  for (const char* key : {"configs", "versions", "n-shot", "higher_is_better", "n-samples"})
    json[key] = Json::object();
  std::int64_t wall_ns = 0;
  for (const std::size_t i : batch.reports) {
    const Report& report = set.reports[i];
    const RunSpec& spec = report.spec;
    json["results"][spec.task] = metrics_json(report);
    json["group_subtasks"][spec.task] = Json::array();
    json["configs"][spec.task] = task_config(spec);
    json["versions"][spec.task] = spec.task_version;
    json["n-shot"][spec.task] = spec.shots;
    Json& higher = json["higher_is_better"][spec.task] = Json::object();
    for (const MetricInfo& metric : spec.metrics)
      higher[metric_and_filter(metric.name).first] = metric.direction == Direction::kHigherIsBetter;
    json["n-samples"][spec.task] = {{"original", spec.dataset.samples},
                                    {"effective", spec.sample_ids.size()}};
    if (report.execution) wall_ns += report.execution->wall_ns;
  }
  const RunSpec& first = set.reports[batch.reports.front()].spec;
  json["config"] = {{"model", batch.model.kind},
                    {"model_args", "pretrained=" + batch.model.name},
                    {"model_sha", batch.model.sha256},
                    {"random_seed", first.options.seed},
                    {"fewshot_seed", first.options.seed}};
  json["task_hashes"] = hashes;
  json["model_source"] = batch.model.kind;
  json["model_name"] = batch.model.name;
  json["model_name_sanitized"] = sanitized(batch.model.name);
  const auto system = first.task_params.find("system");
  json["system_instruction"] = system == first.task_params.end() ? Json() : *system;
  json["fewshot_as_multiturn"] = first.style == PromptStyle::kTurns;
  json["chat_template"] = nullptr;
  json["total_evaluation_time_seconds"] = python_float(static_cast<double>(wall_ns) / 1e9);
  return json;
}

// One document with what was said about it in every repeat.
struct Document {
  std::size_t position = 0;  // in the run
  std::vector<Record> repeats;
};

Json document_json(const Sample& sample) {
  Json json = {{"id", sample.id}, {"input", sample.input}};
  if (!sample.choices.empty()) json["choices"] = sample.choices;
  json["targets"] = sample.targets;
  for (const auto& [key, value] : sample.extra.items())
    if (!json.contains(key)) json[key] = value;
  return json;
}

Json doc_id(const Document& document) {
  const std::string& id = document.repeats.front().sample.id;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(id.data(), id.data() + id.size(), number);
  if (error == std::errc() && end == id.data() + id.size()) return number;
  return document.position;
}

std::string target_of(const Sample& sample) {
  const auto gold = sample.extra.find("gold");
  if (!sample.choices.empty() && gold != sample.extra.end() && gold->is_number()) return gold->dump();
  return sample.targets.empty() ? "" : sample.targets.front();
}

std::string prompt_words(const Turn& turn) {
  if (!turn.completion.prompt_text.empty()) return turn.completion.prompt_text;
  std::vector<std::string> contents;
  for (const Message& message : std::get<GenerateInput>(turn.prompt.input).messages)
    contents.push_back(message.content);
  return join(contents, "\n\n");
}

// The requests of a document, and what came back for each, one entry a repeat.
struct Requests {
  Json arguments = Json::object(), resps = Json::array();
  std::string first_prompt;
};

void add_request(Requests& requests, const std::string& context, Json second) {
  if (requests.arguments.empty()) requests.first_prompt = context;
  requests.arguments[fmt::format("gen_args_{}", requests.arguments.size())] = {{"arg_0", context},
                                                                               {"arg_1", std::move(second)}};
  requests.resps.push_back(Json::array());
}

Requests requests_of(const Document& document, const RunSpec& spec) {
  Requests requests;
  const Json kwargs = task_config(spec).at("generation_kwargs");
  for (const Turn& turn : document.repeats.front().turns) {
    const std::size_t first = requests.resps.size(), which = &turn - document.repeats.front().turns.data();
    const auto* weigh = std::get_if<LikelihoodInput>(&turn.prompt.input);
    if (weigh == nullptr) {
      add_request(requests, prompt_words(turn), kwargs);
    } else {
      for (const Pair& pair : weigh->pairs) add_request(requests, pair.context, pair.continuation);
    }
    for (const Record& record : document.repeats) {
      if (which >= record.turns.size()) continue;
      const Completion& said = record.turns[which].completion;
      if (weigh == nullptr) requests.resps[first].push_back(said.text);
      for (std::size_t i = 0; weigh != nullptr && i < said.likelihoods.size(); ++i)
        if (first + i < requests.resps.size())
          requests.resps[first + i].push_back(
              {python_float(said.likelihoods[i].logprob), python_bool(said.likelihoods[i].greedy)});
    }
  }
  return requests;
}

// What lm-eval's filters leave: of choices the weights, else the answer that was read.
Json filtered(const Requests& requests, const Document& document) {
  const Turn& last = document.repeats.front().turns.back();
  Json list = Json::array();
  if (std::holds_alternative<LikelihoodInput>(last.prompt.input)) {
    for (const Json& of_request : requests.resps)
      if (!of_request.empty()) list.push_back(of_request.front());
    return list;
  }
  for (const Record& record : document.repeats) list.push_back(record.score.answer);
  return list;
}

// lm-eval's filters of a task, in its order.
std::vector<std::string> filters_of(const RunSpec& spec) {
  std::vector<std::string> filters;
  for (const MetricInfo& metric : spec.metrics) {
    std::string filter = metric_and_filter(metric.of.empty() ? metric.name : metric.of).second;
    if (std::find(filters.begin(), filters.end(), filter) == filters.end())
      filters.push_back(std::move(filter));
  }
  return filters;
}

// The values that a filter's reading has, averaged over the repeats.
std::vector<Value> values_of(const Document& document, const std::string& wanted) {
  std::vector<Value> result;
  for (const Value& value : document.repeats.front().score.values) {
    const auto [name, filter] = metric_and_filter(value.metric);
    if (filter != wanted) continue;
    double sum = 0;
    for (const Record& record : document.repeats)
      for (const Value& other : record.score.values)
        if (other.metric == value.metric) sum += other.value;
    result.push_back({name, sum / static_cast<double>(document.repeats.size())});
  }
  return result;
}

// Writes the line of a document and returns what its hash is made of.
std::string write_document(const Document& document, const RunSpec& spec, const std::string& filter,
                           const ByteSink& sink) {
  const Sample& sample = document.repeats.front().sample;
  const Json doc = document_json(sample);
  const Requests requests = requests_of(document, spec);
  const std::string target = target_of(sample);
  const std::string doc_hash = sha256_hex(doc.dump(2, ' ', false, Json::error_handler_t::replace)),
                    prompt_hash = sha256_hex(requests.first_prompt), target_hash = sha256_hex(target);
  Json line = {{"doc_id", doc_id(document)}, {"doc", doc},
               {"target", target},           {"arguments", requests.arguments},
               {"resps", requests.resps},    {"filtered_resps", filtered(requests, document)},
               {"filter", filter},           {"metrics", Json::array()},
               {"doc_hash", doc_hash},       {"prompt_hash", prompt_hash},
               {"target_hash", target_hash}};
  for (const Value& value : values_of(document, filter)) {
    const std::string key = line.contains(value.metric) ? "metric_" + value.metric : value.metric;
    line["metrics"].push_back(key);
    line[key] = value.value;
  }
  sink(dump_json(line) + "\n");
  return doc_hash + prompt_hash + target_hash;
}

// Returns the task's hash.
std::string write_samples(const ReportSet& set, std::size_t report, const ByteSink& sink) {
  const RunSpec& spec = set.reports[report].spec;
  std::map<std::string, std::size_t> positions;
  for (std::size_t i = 0; i < spec.sample_ids.size(); ++i) positions.emplace(spec.sample_ids[i], i);
  std::string hashes;
  for (const std::string& filter : filters_of(spec)) {
    Document document;
    const auto close = [&] {
      if (!document.repeats.empty()) hashes += write_document(document, spec, filter, sink);
      document.repeats.clear();
    };
    set.records(report, [&](const Record& record) {
      if (record.failure || record.turns.empty()) return;
      if (!document.repeats.empty() && document.repeats.front().sample.id != record.sample.id) close();
      if (document.repeats.empty()) document.position = positions[record.sample.id];
      document.repeats.push_back(record);
    });
    close();
  }
  return sha256_hex(hashes);
}

}  // namespace

void write_lm_eval(const ReportSet& set, const FileMaker& write_file) {
  for (const Batch& batch : batches_of(set)) {
    const std::filesystem::path folder = sanitized(batch.model.name);
    std::map<std::string, std::string> hashes;
    for (const std::size_t i : batch.reports) {
      const std::string& task = set.reports[i].spec.task;
      write_file(folder / fmt::format("samples_{}_{}.jsonl", sanitized(task), batch.date),
                 [&](const ByteSink& sink) { hashes[task] = write_samples(set, i, sink); });
    }
    write_file(folder / fmt::format("results_{}.json", batch.date), [&](const ByteSink& sink) {
      sink(results_json(set, batch, hashes).dump(2, ' ', false, Json::error_handler_t::replace));
    });
  }
}

}  // namespace micius
