#include "tasks/lambada.h"

#include <string>
#include <utility>

#include "base/error.h"
#include "core/prompt_builder.h"
#include "tasks/general_rows.h"

namespace micius {
namespace {

// Words are what stands between single blanks; other white space stays inside them.
Sample prepare_lambada(Sample sample) {
  const std::size_t blank = sample.input.rfind(' ');
  if (blank == std::string::npos) fail_sample(sample, "text", "no blank before a last word");
  if (blank + 1 == sample.input.size()) fail_sample(sample, "text", "nothing behind the last blank");
  sample.targets = {sample.input.substr(blank)};
  return sample;
}

Exchange exchange_of(const Sample& sample) {
  const std::string& word = sample.targets.front();
  return {sample.input.substr(0, sample.input.size() - word.size()), word};
}

}  // namespace

Task make_lambada_openai(const TaskOptions& options) {
  JsonFields(options.params, "lambada_openai").only({});
  Task task = general_task("lambada_openai", "The last word of a passage, by likelihood", options);
  const Json fields = {{"input", "text"}};
  task.dataset = general_file("lambada_openai", "test", fields);
  task.scorer = {"continuation", Json::object()};
  task.shots = options.shots.value_or(0);
  task.shot_source = {{{task.dataset}}, ShotRule::kDraw};
  task.metrics = {{"acc"},
                  {"perplexity", "perplexity", Direction::kLowerIsBetter, Reduction::kExpNegMean, "logprob"}};
  task.prepare = prepare_lambada;
  task.next = [style = task.style, system = options.system](
                  const Sample& sample, std::span<const Sample> shots,
                  std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    PromptParts parts;
    parts.system = system;
    for (const Sample& shot : shots) parts.shots.push_back(exchange_of(shot));
    const auto [question, word] = exchange_of(sample);
    parts.question = question;
    LikelihoodInput input = choice_input(parts, style, {word});
    input.pairs.front().continuation = word;  // with its own blank, and no delimiter
    return Prompt{sample.id, std::move(input)};
  };
  task.reference = [](const Sample&, std::span<const Turn>) { return std::string("0"); };
  return task;
}

}  // namespace micius
