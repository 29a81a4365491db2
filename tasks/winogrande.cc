#include "tasks/winogrande.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {
namespace {

Sample prepare_winogrande(Sample sample) {
  if (sample.input.find('_') == std::string::npos)
    fail_sample(sample, "sentence", "no '_' where an option goes");
  const std::string answer = JsonFields(sample.extra, sample.where).string("answer");
  return with_gold(std::move(sample), {"1", "2"}, answer, "answer");
}

}  // namespace

Task make_winogrande(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "winogrande";
  choice.summary = "Which of two names fills the gap of a sentence? The sentence's end by likelihood";
  choice.fields = {{"input", "sentence"}, {"choices", {"option1", "option2"}}};
  choice.evaluated = {"validation"};
  choice.pools = {{"train"}, {"validation"}};
  choice.rule = ShotRule::kDrawExcept;
  choice.metrics = {"acc"};
  choice.prepare = prepare_winogrande;
  choice.letter.ask = "Which of these fills the gap?";
  choice.letter.question = [](const Sample& sample) { return sample.input; };
  // llama.cpp leaves the blanks around the sentence's end as they are.
  const bool llama = JsonFields(options.params, choice.name).string_or("profile", "") == "llama.cpp";
  if (llama) choice.answer_delimiter = "";
  choice.filled = [llama](const Sample& sample, std::size_t chosen) {
    const std::size_t gap = sample.input.find('_');
    const std::string_view end = std::string_view(sample.input).substr(gap + 1);
    return Exchange{sample.input.substr(0, gap) + sample.choices[chosen],
                    std::string(llama ? end : strip(end))};
  };
  return make_choice_task(choice, options);
}

}  // namespace micius
