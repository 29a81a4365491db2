#include "tasks/boolq.h"

#include <utility>

#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {

Task make_boolq(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "boolq";
  choice.summary = "Questions about a passage, yes or no by likelihood";
  choice.version = 2;
  choice.fields = {{"input", "question"}};
  choice.evaluated = {"validation"};
  choice.pools = {{"train"}, {"validation"}};
  choice.rule = ShotRule::kDrawExcept;
  choice.metrics = {"acc"};
  choice.prepare = [](Sample sample) {
    sample.choices = {"no", "yes"};
    return with_gold_index(std::move(sample), "label");
  };
  choice.question = question_of("{{passage}}\nQuestion: {{question}}?\nAnswer:");
  return make_choice_task(choice, options);
}

}  // namespace micius
