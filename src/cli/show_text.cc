#include "cli/show_text.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "core/names.h"
#include "reports/command.h"

namespace micius {
namespace {

std::string block(const std::string& title, const std::string& text) {
  return fmt::format("── {}\n{}\n", title, text);
}

// Schemas and lists of records take screens: of a text of many lines those at both ends, of a long line its
// beginning.
std::string cut(const std::string& text) {
  constexpr std::size_t kFirst = 6, kLast = 8, kLineLength = 160;
  std::vector<std::string> lines;
  std::size_t shortened = 0;
  for (const std::string_view line : split(text, '\n')) {
    lines.push_back(shorten(line, kLineLength));
    shortened += lines.back() != line ? 1 : 0;
  }
  if (lines.size() > kFirst + kLast + 1) {
    const std::size_t middle = lines.size() - kFirst - kLast;
    lines[kFirst] = fmt::format("[.. {} lines; --full shows all ..]", middle);
    const auto first = lines.begin() + kFirst + 1;
    lines.erase(first, first + static_cast<std::ptrdiff_t>(middle) - 1);
  } else if (shortened > 0) {
    lines.emplace_back("[.. long lines are cut; --full shows all ..]");
  }
  return join(lines, "\n");
}

std::string shown(const std::string& text, Length length) {
  return length == Length::kWhole ? text : cut(text);
}

std::string messages_text(const std::vector<Message>& messages, Length length) {
  std::string text;
  for (const Message& message : messages)
    text += block(std::string(name_of(message.role)), shown(message.content, length));
  return text;
}

std::string pairs_text(const std::vector<Pair>& pairs, const std::vector<Likelihood>& likelihoods,
                       Length length) {
  std::string text;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    if (i == 0 || pairs[i].context != pairs[i - 1].context)
      text += block("context", shown(pairs[i].context, length));
    if (!pairs[i].question.empty()) text += block("user", shown(pairs[i].question, length));
    text += fmt::format("   continuation {}: {}", i, dump_json(pairs[i].continuation));
    if (i < likelihoods.size()) {
      text += fmt::format("   log-likelihood {:.4f} over {} tokens{}", likelihoods[i].logprob,
                          likelihoods[i].tokens, likelihoods[i].greedy ? ", greedy" : "");
    }
    text += "\n";
  }
  return text;
}

std::string input_text(const Prompt& prompt, const std::vector<Likelihood>& likelihoods, Length length) {
  if (const auto* generate = std::get_if<GenerateInput>(&prompt.input))
    return messages_text(generate->messages, length);
  const auto& weigh = std::get<LikelihoodInput>(prompt.input);
  return messages_text(weigh.messages, length) + pairs_text(weigh.pairs, likelihoods, length);
}

std::string seconds_text(std::chrono::nanoseconds time) {
  return fmt::format("{:.3f} s", std::chrono::duration<double>(time).count());
}

std::string attempt_text(const Attempt& a) {
  std::string text = a.status != 0 ? fmt::format("HTTP {}", a.status) : std::string("no answer");
  if (!a.code.empty()) text += " " + a.code;
  text +=
      fmt::format(", {} after {}, {} bytes", seconds_text(a.ended - a.began), seconds_text(a.began), a.bytes);
  if (a.wait_asked) text += ", asked to wait " + seconds_text(*a.wait_asked);
  if (a.waited) text += ", waited " + seconds_text(*a.waited);
  if (!a.request_id.empty()) text += ", id " + a.request_id;
  if (!a.invalid_utf8_sha256.empty()) text += ", mended UTF-8 of " + a.invalid_utf8_sha256.substr(0, 12);
  return text + (a.message.empty() ? "" : ": " + shorten(visible_line(a.message), 200)) + "\n";
}

std::string attempts_text(const std::vector<Attempt>& attempts) {
  if (attempts.empty()) return "";
  std::string text = "attempts\n";
  for (std::size_t i = 0; i < attempts.size(); ++i)
    text += fmt::format("   {}  {}", i + 1, attempt_text(attempts[i]));
  return text;
}

std::string turn_text(const Turn& turn, Length length) {
  std::string text = input_text(turn.prompt, turn.completion.likelihoods, length);
  if (std::holds_alternative<GenerateInput>(turn.prompt.input) && !turn.completion.failure) {
    text += block(fmt::format("completion ({} tokens, {})", turn.completion.completion_tokens,
                              name_of(turn.completion.stop_reason)),
                  turn.completion.text);
  }
  if (turn.completion.cut_tokens > 0)
    text += fmt::format("cut: about {} tokens at the prompt's beginning\n", turn.completion.cut_tokens);
  text += attempts_text(turn.completion.attempts);
  if (!turn.observation.empty()) text += block("observation", shown(turn.observation, length));
  return text;
}

std::string score_text(const Score& score) {
  std::string text = fmt::format("verdict: {}\n", name_of(score.verdict));
  if (!score.reason.empty()) text += score.reason + "\n";
  std::size_t width = 0;
  for (const Value& value : score.values) width = std::max(width, value.metric.size());
  for (const Value& value : score.values)
    text += fmt::format("   {:<{}}  {:.4g}\n", value.metric, width, value.value);
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
  return visible_text(text) + "\n";
}

std::string prompt_text(const TaskSetup& setup, std::size_t index) {
  Sample sample = setup.dataset->at(index);
  if (setup.task.prepare) sample = setup.task.prepare(std::move(sample));
  const std::vector<Sample> shots = setup.shots->shots_for(index);
  const auto prompt = setup.task.next(sample, shots, {});
  std::string text = fmt::format("sample {}\n", sample.id);
  if (prompt) text += input_text(*prompt, {}, Length::kWhole);
  return visible_text(text + block("reference", sample.targets.front()));
}

std::string run_heading(const Run& run) {
  return visible_line(fmt::format("═══════ run {}: {} on {}", static_cast<std::int64_t>(run.id),
                                  run.spec.task, run.spec.model.name)) +
         "\n\n";
}

std::string run_text(const Run& run) {
  const RunSpec& spec = run.spec;
  const std::string which = spec.model.is_remote() ? "at " + spec.model.url : spec.model.sha256.substr(0, 12);
  std::string text = fmt::format(
      "run {}: {} (version {}) on {}\nstatus   {}\nstarted  {}{}\ndataset  {} {}\nmodel    {} {} {}\n"
      "spec     {}\nagain    {}\n",
      static_cast<std::int64_t>(run.id), spec.task, spec.task_version, spec.model.name, name_of(run.status),
      run.started, run.finished.empty() ? "" : ", finished " + run.finished, spec.dataset.name,
      spec.dataset.sha256.substr(0, 12), spec.model.kind, spec.model.name, which, spec_sha256(spec),
      repeat_command(spec));
  for (const std::string& note : spec.notes) text += "note     " + note + "\n";
  return visible_text(text + "\n");
}

std::string record_text(const Record& record, Length length) {
  std::string text = fmt::format("═══ sample {}, repeat {}\n", record.sample.id, record.repeat);
  if (record.failure) {
    text += fmt::format("FAILED after {} attempts: {}: {}\n", record.failure->attempts, record.failure->code,
                        record.failure->message);
  } else {
    text += score_text(record.score);
  }
  if (!record.sample.input.empty()) text += block("request", shown(record.sample.input, length));
  if (!record.failure) text += block("answer read", record.score.answer);
  if (!record.sample.targets.empty()) text += block("reference", record.sample.targets.front());
  for (std::size_t i = 0; i < record.turns.size(); ++i) {
    text += record.turns.size() > 1 ? fmt::format("═══ turn {}\n", i + 1) : "═══ as it was asked\n";
    text += turn_text(record.turns[i], length);
  }
  return visible_text(text) + "\n";
}

}  // namespace micius
