#include "tasks/choice_task.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tasks/template.h"

namespace micius {
namespace {

std::size_t gold_of(const Sample& sample) { return sample.extra.at("gold").get<std::size_t>(); }

Exchange exchange_of(const ChoiceTask& choice, const Sample& sample, std::size_t chosen) {
  if (choice.filled) return choice.filled(sample, chosen);
  return {choice.question(sample), sample.choices[chosen]};
}

// A prompt is made of every row before the first is asked, so that a field that is missing is known then.
Sample prepare(const ChoiceTask& choice, Sample sample) {
  sample = choice.prepare(std::move(sample));
  for (const std::string& text : sample.choices) {
    if (text.empty()) fail(ErrorCode::kInvalidData, "{}: a choice is empty", sample.where);
  }
  exchange_of(choice, sample, gold_of(sample));
  return sample;
}

LikelihoodInput input_of(const ChoiceTask& choice, const TaskOptions& options, PromptStyle style,
                         const Sample& sample, std::span<const Sample> shots) {
  PromptParts parts;
  parts.system = options.system;
  parts.description = choice.description;
  for (const Sample& shot : shots) parts.shots.push_back(exchange_of(choice, shot, gold_of(shot)));
  if (!choice.filled) {
    parts.question = choice.question(sample);
    return choice_input(parts, style, sample.choices);
  }
  std::vector<Exchange> filled;
  for (std::size_t i = 0; i < sample.choices.size(); ++i) filled.push_back(choice.filled(sample, i));
  return filled_input(parts, style, filled);
}

}  // namespace

void fail_sample(const Sample& sample, const std::string& field, const std::string& what) {
  fail(ErrorCode::kInvalidData, "{}: field '{}': {}", sample.where, field, what);
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

Sample with_gold_index(Sample sample, const std::string& field) {
  const Json& value = JsonFields(sample.extra, sample.where).at(field);
  const auto label = scalar_text(value);
  if (!label)
    fail_sample(sample, field, fmt::format("must be a number or a string, found {}", value.type_name()));
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < sample.choices.size(); ++i) labels.push_back(std::to_string(i));
  return with_gold(std::move(sample), labels, *label, field);
}

Spec general_split(const std::string& folder, const std::string& split, const Json& fields) {
  Spec spec{"jsonl", fields};
  spec.params["path"] = fmt::format("general/{}/{}.jsonl", folder, split);
  return spec;
}

std::function<std::string(const Sample&)> question_of(std::string_view text) {
  return [question = Template(text, "")](const Sample& sample) { return question.render(sample); };
}

Task make_choice_task(const ChoiceTask& choice, const TaskOptions& options) {
  JsonFields(options.params, choice.name).only({});
  const std::string& folder = choice.folder.empty() ? choice.name : choice.folder;
  Task task;
  task.name = choice.name;
  task.version = choice.version;
  task.suite = "general";
  task.summary = choice.summary;
  task.dataset = general_split(folder, choice.evaluated, choice.fields);
  task.stand_ins = choice.stand_ins;
  task.scorer = {"choice", {{"metrics", choice.metrics}}};
  task.shots = options.shots.value_or(choice.shots);
  for (const std::string& pool : choice.pools)
    task.shot_source.pools.push_back(general_split(folder, pool, choice.fields));
  task.shot_source.rule = choice.rule;
  task.style = options.style.value_or(PromptStyle::kText);
  for (const std::string& metric : choice.metrics) task.metrics.push_back({metric});
  if (!options.system.empty()) task.params["system"] = options.system;
  task.prepare = [choice](Sample sample) { return prepare(choice, std::move(sample)); };
  task.next = [choice, options, style = task.style](const Sample& sample, std::span<const Sample> shots,
                                                    std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    return Prompt{sample.id, input_of(choice, options, style, sample, shots)};
  };
  task.reference = [](const Sample& sample, std::span<const Turn>) {
    return std::to_string(gold_of(sample));
  };
  return task;
}

}  // namespace micius
