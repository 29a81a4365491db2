#include "tasks/winogrande.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"

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
  choice.evaluated = "validation";
  choice.pools = {"train", "validation"};
  choice.rule = ShotRule::kDrawExcept;
  choice.metrics = {"acc"};
  choice.prepare = prepare_winogrande;
  choice.filled = [](const Sample& sample, std::size_t chosen) {
    const std::size_t gap = sample.input.find('_');
    return Exchange{sample.input.substr(0, gap) + sample.choices[chosen],
                    std::string(strip(std::string_view(sample.input).substr(gap + 1)))};
  };
  return make_choice_task(choice, options);
}

}  // namespace micius
