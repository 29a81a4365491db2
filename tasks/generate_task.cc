#include "tasks/generate_task.h"

#include <utility>

#include <fmt/format.h>

#include "core/prompt_builder.h"
#include "tasks/general_rows.h"

namespace micius {
namespace {

std::string answer_of(const GenerateTask& generate, const Sample& shot) {
  return generate.answer ? generate.answer(shot) : shot.targets.front();
}

// Prompt and reference are made of every row before the first is asked, so that a field that is missing is
// known then.
Sample prepare(const GenerateTask& generate, Sample sample) {
  if (generate.prepare) sample = generate.prepare(std::move(sample));
  generate.question(sample);
  if (generate.reference) generate.reference(sample);
  return sample;
}

// An answer that is begun stands right behind its beginning where that ends in white space.
Exchange exchange_of(const GenerateTask& generate, const Sample& shot) {
  const std::string answer = answer_of(generate, shot);
  if (!generate.prefix) return {generate.question(shot), answer};
  return {generate.question(shot), join_parts(generate.prefix(shot), answer, " ")};
}

GenerateInput input_of(const GenerateTask& generate, const std::string& system, PromptStyle style,
                       const Sample& sample, std::span<const Sample> shots) {
  PromptParts parts;
  parts.system = system;
  parts.description = generate.description;
  parts.answer_delimiter = generate.answer_delimiter;
  for (const Sample& shot : shots) parts.shots.push_back(exchange_of(generate, shot));
  parts.question = generate.question(sample);
  const std::string prefix = generate.prefix ? generate.prefix(sample) : "";
  if (style == PromptStyle::kText)
    return {{{Role::kUser, join_parts(prompt_text(parts), prefix, parts.answer_delimiter)}}};
  GenerateInput input{prompt_messages(parts, style)};
  if (!prefix.empty()) input.messages.push_back({Role::kAssistant, prefix});
  return input;
}

}  // namespace

std::vector<MetricInfo> pass_metrics() {
  std::vector<MetricInfo> metrics = {{"pass@1"}};
  for (const int k : {2, 5, 8, 10, 16, 32, 64, 100})
    metrics.push_back({fmt::format("pass@{}", k), "fraction", Direction::kHigherIsBetter, Reduction::kPassAtK,
                       "pass@1", k});
  return metrics;
}

Task make_generate_task(const GenerateTask& generate, const TaskOptions& options) {
  JsonFields(options.params, generate.name).only({});
  Task task = general_task(generate.name, generate.summary, options);
  task.version = generate.version;
  task.dataset = generate.dataset;
  task.scorer = generate.scorer;
  task.scorer.params["stop"] = generate.stop;
  task.shots = generate.pools.empty() ? 0 : options.shots.value_or(generate.shots);
  task.shot_source = {generate.pools, generate.rule};
  task.options.max_tokens = generate.max_tokens;
  task.options.stop = generate.stop;
  task.metrics = generate.metrics;
  task.prepare = [generate](Sample sample) { return prepare(generate, std::move(sample)); };
  task.next = [generate, style = task.style, system = options.system](
                  const Sample& sample, std::span<const Sample> shots,
                  std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    return Prompt{sample.id, input_of(generate, system, style, sample, shots)};
  };
  task.reference = [generate](const Sample& sample, std::span<const Turn>) {
    return generate.reference ? generate.reference(sample) : sample.targets.front();
  };
  return task;
}

}  // namespace micius
