#include "tasks/choice_task.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/prompt_builder.h"

namespace micius {
namespace {

Spec split_spec(const ChoiceTask& choice, const std::string& split) {
  Spec spec{"jsonl", choice.fields};
  spec.params["path"] = fmt::format("general/{}/{}.jsonl", choice.name, split);
  return spec;
}

std::size_t gold_of(const Sample& sample) { return sample.extra.at("gold").get<std::size_t>(); }

}  // namespace

void fail_sample(const Sample& sample, const std::string& field, const std::string& what) {
  fail(ErrorCode::kInvalidData, "sample '{}': field '{}': {}", sample.id, field, what);
}

Sample with_gold(Sample sample, const std::vector<std::string>& labels, const std::string& answer,
                 const std::string& answer_field) {
  if (labels.size() != sample.choices.size()) {
    fail_sample(sample, answer_field,
                fmt::format("{} labels for {} choices", labels.size(), sample.choices.size()));
  }
  const auto it = std::find(labels.begin(), labels.end(), answer);
  if (it == labels.end()) {
    fail_sample(sample, answer_field,
                fmt::format("answer '{}' is not among the labels {}", answer, join(labels, ", ")));
  }
  const auto gold = static_cast<std::size_t>(it - labels.begin());
  sample.extra["gold"] = gold;
  sample.targets = {sample.choices[gold]};
  return sample;
}

Task make_choice_task(const ChoiceTask& choice, const TaskOptions& options) {
  JsonFields(options.params, choice.name).only({});
  Task task;
  task.name = choice.name;
  task.version = choice.version;
  task.suite = "general";
  task.summary = choice.summary;
  task.dataset = split_spec(choice, choice.evaluated);
  task.scorer = {"choice", {{"metrics", choice.metrics}}};
  task.shots = options.shots.value_or(0);
  for (const std::string& pool : choice.pools) task.shot_source.pools.push_back(split_spec(choice, pool));
  task.shot_source.rule = ShotRule::kDraw;
  task.style = options.style.value_or(PromptStyle::kText);
  for (const std::string& metric : choice.metrics) task.metrics.push_back({metric});
  if (!options.system.empty()) task.params["system"] = options.system;
  task.prepare = choice.prepare;
  task.next = [question = choice.question, style = task.style, system = options.system](
                  const Sample& sample, std::span<const Sample> shots,
                  std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    PromptParts parts;
    parts.system = system;
    for (const Sample& shot : shots) parts.shots.push_back({question(shot), shot.targets.front()});
    parts.question = question(sample);
    return Prompt{sample.id, choice_input(parts, style, sample.choices)};
  };
  task.reference = [](const Sample& sample, std::span<const Turn>) {
    return std::to_string(gold_of(sample));
  };
  return task;
}

}  // namespace micius
