#include "tasks/choice_task.h"

#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "tasks/general_rows.h"

namespace micius {
namespace {

constexpr const char* kOtherShots =
    "scores are not like for like with runs that have it; `micius data list` says where to get it";

std::size_t gold_of(const Sample& sample) { return sample.extra.at("gold").get<std::size_t>(); }

Exchange exchange_of(const ChoiceTask& choice, const Sample& sample, std::size_t chosen) {
  if (choice.filled) return choice.filled(sample, chosen);
  return {choice.question(sample), sample.choices[chosen]};
}

// A prompt is made of every row before the first is asked, so that a field that is missing is known then.
Sample prepare(const ChoiceTask& choice, Sample sample) {
  sample = choice.prepare(std::move(sample));
  exchange_of(choice, sample, gold_of(sample));
  return sample;
}

PromptParts parts_of(const ChoiceTask& choice, const TaskOptions& options) {
  PromptParts parts;
  parts.system = options.system;
  parts.description = choice.description;
  return parts;
}

LikelihoodInput input_of(const ChoiceTask& choice, const TaskOptions& options, PromptStyle style,
                         const Sample& sample, std::span<const Sample> shots) {
  PromptParts parts = parts_of(choice, options);
  parts.answer_delimiter = choice.answer_delimiter;
  for (const Sample& shot : shots) parts.shots.push_back(exchange_of(choice, shot, gold_of(shot)));
  if (!choice.filled) {
    parts.question = choice.question(sample);
    return choice_input(parts, style, sample.choices);
  }
  std::vector<Exchange> filled;
  for (std::size_t i = 0; i < sample.choices.size(); ++i) filled.push_back(choice.filled(sample, i));
  return filled_input(parts, style, filled);
}

std::string letter(std::size_t choice) { return std::string(1, static_cast<char>('A' + choice)); }

std::string letter_question(const ChoiceTask& choice, const Sample& sample) {
  constexpr std::string_view kEnd = "Answer:";
  std::string text = choice.letter.question ? choice.letter.question(sample) : choice.question(sample);
  if (text.ends_with(kEnd)) text.resize(text.size() - kEnd.size());
  text = strip(text);
  if (!choice.letter.question_has_choices) {
    for (std::size_t i = 0; i < sample.choices.size(); ++i)
      text += fmt::format("\n{}. {}", letter(i), sample.choices[i]);
  }
  return fmt::format("{}\n\n{} Answer with its letter alone.", text, choice.letter.ask);
}

GenerateInput letter_input(const ChoiceTask& choice, const TaskOptions& options, PromptStyle style,
                           const Sample& sample, std::span<const Sample> shots) {
  PromptParts parts = parts_of(choice, options);
  for (const Sample& shot : shots)
    parts.shots.push_back({letter_question(choice, shot), letter(gold_of(shot))});
  parts.question = letter_question(choice, sample);
  if (style != PromptStyle::kText) return {prompt_messages(parts, style)};
  return {{{Role::kUser, prompt_text(parts)}}};
}

enum class Form { kWeighed, kLlamaCpp, kLetter };

Form form_of(const ChoiceTask& choice, const Json& params) {
  const JsonFields fields(params, choice.name);
  fields.only({"profile", "form"});
  const std::string profile = fields.string_or("profile", "lm-eval"),
                    form = fields.string_or("form", "weighed");
  if (profile != "lm-eval" && profile != "llama.cpp")
    fail(ErrorCode::kUsage, "{}: unknown profile '{}'{}; there are lm-eval and llama.cpp", choice.name,
         profile, did_you_mean(profile, {"lm-eval", "llama.cpp"}));
  if (form != "weighed" && form != "letter")
    fail(ErrorCode::kUsage, "{}: unknown form '{}'{}; there are weighed and letter", choice.name, form,
         did_you_mean(form, {"weighed", "letter"}));
  if (profile == "llama.cpp" && form == "letter")
    fail(ErrorCode::kUsage, "{}: llama.cpp weighs choices and asks for no letter; leave out one of the two",
         choice.name);
  return form == "letter" ? Form::kLetter : profile == "llama.cpp" ? Form::kLlamaCpp : Form::kWeighed;
}

void weigh(const ChoiceTask& choice, const TaskOptions& options, Form form, Task& task) {
  const bool llama = form == Form::kLlamaCpp;
  const std::vector<std::string> metrics = llama ? std::vector<std::string>{"acc_token"} : choice.metrics;
  if (llama && task.style != PromptStyle::kText)
    fail(ErrorCode::kUsage, "{}: llama.cpp weighs text, not chats; leave out --chat-template", choice.name);
  if (llama) task.params["profile"] = "llama.cpp";
  task.scorer = {"choice", {{"metrics", metrics}}};
  for (const std::string& metric : metrics) task.metrics.push_back({metric});
  const PairSplit split = !llama          ? PairSplit::kContext
                          : choice.filled ? PairSplit::kTrailing
                                          : PairSplit::kCommonPrefix;
  task.next = [choice, options, split, style = task.style](
                  const Sample& sample, std::span<const Sample> shots,
                  std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    LikelihoodInput input = input_of(choice, options, style, sample, shots);
    input.split = split;
    return Prompt{sample.id, std::move(input)};
  };
  task.reference = [](const Sample& sample, std::span<const Turn>) {
    return std::to_string(gold_of(sample));
  };
}

void ask_letter(const ChoiceTask& choice, const TaskOptions& options, Task& task) {
  task.params["form"] = "letter";
  task.style = options.style.value_or(PromptStyle::kTurns);
  task.scorer = {"letter", Json::object()};
  task.metrics = {{"acc_letter"}};
  task.next = [choice, options, style = task.style](const Sample& sample, std::span<const Sample> shots,
                                                    std::span<const Turn> turns) -> std::optional<Prompt> {
    if (!turns.empty()) return std::nullopt;
    return Prompt{sample.id, letter_input(choice, options, style, sample, shots)};
  };
  task.reference = [](const Sample& sample, std::span<const Turn>) { return letter(gold_of(sample)); };
}

}  // namespace

Task make_choice_task(const ChoiceTask& choice, const TaskOptions& options) {
  const Form form = form_of(choice, options.params);
  const std::string& folder = choice.folder.empty() ? choice.name : choice.folder;
  Task task = general_task(choice.name, choice.summary, options);
  task.version = choice.version;
  task.dataset = general_file(folder, choice.evaluated.front(), choice.fields);
  for (std::size_t i = 1; i < choice.evaluated.size(); ++i)
    task.stand_ins.push_back({general_file(folder, choice.evaluated[i], choice.fields)});
  if (choice.part)
    task.stand_ins.push_back({general_file(folder, choice.part->file, choice.fields), choice.part->warning});
  task.shots = options.shots.value_or(form == Form::kLlamaCpp ? 0 : choice.shots);
  for (const std::vector<std::string>& files : choice.pools) {
    const bool wanted = &files == &choice.pools.front();
    for (const std::string& file : files)
      task.shot_source.pools.push_back(
          {general_file(folder, file, choice.fields), wanted ? "" : kOtherShots});
  }
  task.shot_source.rule = choice.rule;
  task.prepare = [choice](Sample sample) { return prepare(choice, std::move(sample)); };
  if (form == Form::kLetter) {
    ask_letter(choice, options, task);
  } else {
    weigh(choice, options, form, task);
  }
  return task;
}

}  // namespace micius
