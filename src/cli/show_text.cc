#include "cli/show_text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/names.h"

namespace micius {
namespace {

std::string block(const std::string& title, const std::string& text) {
  return fmt::format("── {}\n{}\n", title, text);
}

std::string messages_text(const std::vector<Message>& messages) {
  std::string text;
  for (const Message& message : messages) text += block(std::string(name_of(message.role)), message.content);
  return text;
}

std::string pairs_text(const std::vector<Pair>& pairs, const std::vector<Likelihood>& likelihoods) {
  std::string text;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i].context != pairs[i - 1].context) text += block("context", pairs[i].context);
    text += fmt::format("   continuation {}: {}", i, dump_json(pairs[i].continuation));
    if (i < likelihoods.size()) {
      text += fmt::format("   log-likelihood {:.4f} over {} tokens{}", likelihoods[i].logprob,
                          likelihoods[i].tokens, likelihoods[i].greedy ? ", greedy" : "");
    }
    text += "\n";
  }
  return text;
}

std::string input_text(const Prompt& prompt, const std::vector<Likelihood>& likelihoods) {
  if (const auto* generate = std::get_if<GenerateInput>(&prompt.input))
    return messages_text(generate->messages);
  const auto& weigh = std::get<LikelihoodInput>(prompt.input);
  return messages_text(weigh.messages) + pairs_text(weigh.pairs, likelihoods);
}

std::string turn_text(const Turn& turn) {
  std::string text = input_text(turn.prompt, turn.completion.likelihoods);
  if (std::holds_alternative<GenerateInput>(turn.prompt.input) && !turn.completion.failure) {
    text += block(fmt::format("completion ({} tokens, {})", turn.completion.completion_tokens,
                              name_of(turn.completion.stop_reason)),
                  turn.completion.text);
  }
  return text;
}

std::string observation_text(const Turn& turn) {
  return turn.observation.empty() ? "" : block("observation", turn.observation);
}

}  // namespace

std::string task_text(const Task& task) {
  std::string text =
      fmt::format("{} (version {}, suite {}): {}\n", task.name, task.version, task.suite, task.summary);
  text += fmt::format("dataset  {} {}\n", task.dataset.name, dump_json(task.dataset.params));
  text += fmt::format("scorer   {} {}\n", task.scorer.name, dump_json(task.scorer.params));
  text += fmt::format("prompt   {}, {} shots\n", name_of(task.style), task.shots);
  text += "metrics ";
  for (const MetricInfo& metric : task.metrics) text += " " + metric.name;
  return visible_text(text) + "\n";
}

std::string prompt_text(const TaskSetup& setup, std::size_t index) {
  Sample sample = setup.dataset->at(index);
  if (setup.task.prepare) sample = setup.task.prepare(std::move(sample));
  const std::vector<Sample> shots = setup.shots->shots_for(index);
  const auto prompt = setup.task.next(sample, shots, {});
  std::string text = fmt::format("sample {}\n", sample.id);
  if (prompt) text += input_text(*prompt, {});
  return visible_text(text + block("reference", sample.targets.front()));
}

std::string run_heading(const Run& run) {
  return visible_line(fmt::format("═══════ run {}: {} on {}", static_cast<std::int64_t>(run.id),
                                  run.spec.task, run.spec.model.name)) +
         "\n\n";
}

std::string run_text(const Run& run) {
  const RunSpec& spec = run.spec;
  return visible_text(fmt::format(
      "run {}: {} (version {}) on {}\nstatus   {}\nstarted  {}{}\ndataset  {} {}\nmodel    {} {} {}\nspec    "
      " {}\n\n",
      static_cast<std::int64_t>(run.id), spec.task, spec.task_version, spec.model.name, name_of(run.status),
      run.started, run.finished.empty() ? "" : ", finished " + run.finished, spec.dataset.name,
      spec.dataset.sha256.substr(0, 12), spec.model.kind, spec.model.name, spec.model.sha256.substr(0, 12),
      spec_sha256(spec)));
}

std::string record_text(const Record& record) {
  std::string text = fmt::format("═══ sample {}, repeat {}\n", record.sample.id, record.repeat);
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    if (record.turns.size() > 1) text += fmt::format("── turn {}\n", i + 1);
    text += turn_text(record.turns[i]);
    if (i + 1 < record.turns.size()) text += observation_text(record.turns[i]);
  }
  if (record.failure) {
    return visible_text(text + fmt::format("FAILED after {} attempts: {}: {}\n\n", record.failure->attempts,
                                           record.failure->code, record.failure->message));
  }
  if (!record.sample.targets.empty()) text += block("reference", record.sample.targets.front());
  text += block("answer read", record.score.answer);
  text += fmt::format("── verdict: {}\n", name_of(record.score.verdict));
  if (!record.score.reason.empty()) text += record.score.reason + "\n";
  for (const Value& value : record.score.values)
    text += fmt::format("   {} = {:.4g}\n", value.metric, value.value);
  if (!record.turns.empty()) text += observation_text(record.turns.back());
  return visible_text(text) + "\n";
}

}  // namespace micius
