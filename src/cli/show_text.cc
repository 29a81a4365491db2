#include "cli/show_text.h"

#include <fmt/format.h>

#include "base/text.h"
#include "core/names.h"

namespace micius {
namespace {

// Control characters but LF and TAB become visible, so that no text moves the cursor or hides what is before
// it.
std::string harmless(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    const bool control = (c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7F && c < 0xA0);
    if (control) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned>(c));
    } else {
      append_utf8(out, c);
    }
  }
  return out;
}

std::string block(const std::string& title, const std::string& text) {
  return fmt::format("── {}\n{}\n", title, harmless(text));
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
  if (!turn.observation.empty()) text += block("observation", turn.observation);
  return text;
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
  return text + "\n";
}

std::string prompt_text(const TaskSetup& setup, std::size_t index) {
  Sample sample = setup.dataset->at(index);
  if (setup.task.prepare) sample = setup.task.prepare(std::move(sample));
  const std::vector<Sample> shots = setup.shots->shots_for(index);
  const auto prompt = setup.task.next(sample, shots, {});
  std::string text = fmt::format("sample {}\n", sample.id);
  if (prompt) text += input_text(*prompt, {});
  return text + block("reference", sample.targets.front());
}

std::string run_text(const Run& run) {
  const RunSpec& spec = run.spec;
  return fmt::format(
      "run {}: {} (version {}) on {}\nstatus   {}\nstarted  {}{}\ndataset  {} {}\nmodel    {} {} {}\nspec    "
      " {}\n\n",
      static_cast<std::int64_t>(run.id), spec.task, spec.task_version, spec.model.name, name_of(run.status),
      run.started, run.finished.empty() ? "" : ", finished " + run.finished, spec.dataset.name,
      spec.dataset.sha256.substr(0, 12), spec.model.kind, spec.model.name, spec.model.sha256.substr(0, 12),
      spec_sha256(spec));
}

std::string record_text(const Record& record) {
  std::string text = fmt::format("═══ sample {}, repeat {}\n", record.sample.id, record.repeat);
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    if (record.turns.size() > 1) text += fmt::format("── turn {}\n", i + 1);
    text += turn_text(record.turns[i]);
  }
  if (record.failure) {
    return text + fmt::format("FAILED after {} attempts: {}: {}\n\n", record.failure->attempts,
                              record.failure->code, harmless(record.failure->message));
  }
  if (!record.sample.targets.empty()) text += block("reference", record.sample.targets.front());
  text += block("answer read", record.score.answer);
  text += fmt::format("── verdict: {}\n", name_of(record.score.verdict));
  if (!record.score.reason.empty()) text += harmless(record.score.reason) + "\n";
  for (const Value& value : record.score.values)
    text += fmt::format("   {} = {:.4g}\n", value.metric, value.value);
  return text + "\n";
}

}  // namespace micius
