#include "pipeline/plan.h"

#include <algorithm>
#include <unordered_map>
#include <utility>
#include <variant>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

using IndexById = std::unordered_map<std::string, std::size_t>;

std::vector<Sample> prepared_samples(const Task& task, const Dataset& dataset) {
  std::vector<Sample> samples;
  samples.reserve(dataset.size());
  for (std::size_t i = 0; i < dataset.size(); ++i) {
    Sample sample = dataset.at(i);
    samples.push_back(task.prepare ? task.prepare(std::move(sample)) : std::move(sample));
  }
  return samples;
}

IndexById index_by_id(const std::vector<Sample>& samples, const Dataset& dataset) {
  IndexById index;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const auto [other, is_new] = index.emplace(samples[i].id, i);
    if (!is_new) {
      fail(ErrorCode::kInvalidData, "{}: samples {} and {} (from 0) have the same id '{}'", dataset.name(),
           other->second, i, samples[i].id);
    }
  }
  return index;
}

std::size_t index_of(const std::string& id, const IndexById& index, const Dataset& dataset) {
  if (const auto found = index.find(id); found != index.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& entry : index) names.push_back(entry.first);
  std::sort(names.begin(), names.end());
  fail(ErrorCode::kUsage, "{}: no sample '{}'{}", dataset.name(), id, did_you_mean(id, names));
}

std::vector<std::size_t> chosen_indices(const PlanOptions& options, const IndexById& index,
                                        const Dataset& dataset) {
  std::vector<std::size_t> chosen;
  if (options.sample_ids.empty()) {
    chosen.resize(std::min(options.limit.value_or(index.size()), index.size()));
    for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = i;
  } else {
    for (const std::string& id : options.sample_ids) chosen.push_back(index_of(id, index, dataset));
    std::sort(chosen.begin(), chosen.end());
    chosen.erase(std::unique(chosen.begin(), chosen.end()), chosen.end());
  }
  return chosen;
}

GenerateOptions generate_options(const Task& task, const PlanOptions& options) {
  GenerateOptions made = task.options;
  made.max_tokens = options.max_tokens.value_or(made.max_tokens);
  made.temperature = options.temperature.value_or(made.temperature);
  made.top_k = options.top_k.value_or(made.top_k);
  made.top_p = options.top_p.value_or(made.top_p);
  made.min_p = options.min_p.value_or(made.min_p);
  made.seed = options.seed;
  return made;
}

// A prompt is made with each of them as its one shot, which reads all that a prompt shows of it.
void check_shots(const PlanSource& source, const Plan& plan) {
  if (!source.for_each_shot || plan.chosen.empty()) return;
  const Sample& sample = plan.samples[plan.chosen.front()];
  source.for_each_shot([&](const Sample& shot) { source.task.next(sample, {&shot, 1}, {}); });
}

// A task asks for the same kind of answer throughout, so its first prompt shows what the model has to do.
void settle_model(const PlanSource& source, Plan& plan) {
  if (plan.chosen.empty()) return;
  const std::size_t first = plan.chosen.front();
  const std::vector<Sample> shots = plan.shots_for ? plan.shots_for(first) : std::vector<Sample>();
  const std::optional<Prompt> prompt = source.task.next(plan.samples[first], shots, {});
  if (!prompt) return;
  const auto* weigh = std::get_if<LikelihoodInput>(&prompt->input);
  if (weigh == nullptr) {
    if (source.model.generates) return;
    fail(ErrorCode::kUnsupported, "task '{}' needs generated text, which model '{}' does not give",
         source.task.name, source.model.name);
  }
  if (!source.model.weighs) {
    fail(ErrorCode::kUnsupported,
         "task '{}' needs log-likelihoods, which model '{}' does not give; take a model that the engine runs "
         "(`micius list models`), a server that echoes log-probabilities (vLLM), or a task that is answered "
         "in text",
         source.task.name, source.model.name);
  }
  if (weigh->split != PairSplit::kContext && !source.model.splits) {
    fail(ErrorCode::kUnsupported,
         "task '{}' weighs choices as llama.cpp does, which model '{}' cannot; try --profile lm-eval",
         source.task.name, source.model.name);
  }
  if (weigh->is_chat() && !source.model.chat_template) {
    fail(ErrorCode::kUnsupported,
         "task '{}' is asked as a chat, but model '{}' has no chat template; try "
         "--chat-template off",
         source.task.name, source.model.name);
  }
  plan.spec.model_options.update(source.model.weigh_options);
}

}  // namespace

Plan make_plan(const PlanSource& source, const PlanOptions& options) {
  if (options.limit && !options.sample_ids.empty())
    fail(ErrorCode::kUsage, "--limit and --sample-ids both choose samples; give one of them");
  if (options.repeats < 1) fail(ErrorCode::kUsage, "--repeats {}: at least 1", options.repeats);
  const Task& task = source.task;
  Plan plan;
  plan.samples = prepared_samples(task, source.dataset);
  plan.chosen = chosen_indices(options, index_by_id(plan.samples, source.dataset), source.dataset);
  plan.shots_for = source.shots_for;
  RunSpec& spec = plan.spec;
  spec.task = task.name;
  spec.task_version = task.version;
  spec.suite = task.suite;
  spec.dataset = {std::string(source.dataset.name()), source.dataset.content_hash(), source.dataset.size()};
  for (const std::size_t index : plan.chosen) spec.sample_ids.push_back(plan.samples[index].id);
  spec.model = {source.model.name, source.model.kind, source.model.sha256, source.model.url};
  spec.scorer = task.scorer.name;
  spec.shots = task.shots;
  spec.shot_pool = source.shot_pool;
  spec.style = task.style;
  spec.options = generate_options(task, options);
  if (!options.max_tokens) spec.turn_max_tokens = task.turn_max_tokens;
  spec.repeats = options.repeats;
  spec.task_params = task.params;
  spec.model_options = source.model.options;
  spec.task_source = source.task_source;
  spec.metrics = task.metrics;
  spec.breakdowns = task.breakdowns;
  spec.cluster = task.cluster;
  spec.environment = source.model.environment;
  check_shots(source, plan);
  settle_model(source, plan);
  return plan;
}

PlanOptions options_of(const RunSpec& spec) {
  PlanOptions options;
  options.sample_ids = spec.sample_ids;
  options.repeats = spec.repeats;
  options.seed = spec.options.seed;
  // With limits of each turn, the task's own were taken.
  if (spec.turn_max_tokens.empty()) options.max_tokens = spec.options.max_tokens;
  options.top_k = spec.options.top_k;
  options.temperature = spec.options.temperature;
  options.top_p = spec.options.top_p;
  options.min_p = spec.options.min_p;
  return options;
}

void check_same_spec(const RunSpec& stored, const RunSpec& now, RunId run) {
  const Json before = spec_json(stored), after = spec_json(now);
  for (const auto& [field, value] : before.items()) {
    if (after.at(field) == value) continue;
    fail(
        ErrorCode::kUsage,
        "run {} cannot go on: its {} is not what it was ({} then, {} now); a new run starts with `micius run "
        "--fresh`",
        static_cast<std::int64_t>(run), field, shorten(dump_json(value), 120),
        shorten(dump_json(after.at(field)), 120));
  }
}

}  // namespace micius
