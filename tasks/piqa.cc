#include "tasks/piqa.h"

#include <utility>

#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {

Task make_piqa(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "piqa";
  choice.summary = "Which of two ways reaches an everyday goal? Choices by likelihood";
  choice.fields = {{"input", "goal"}, {"choices", {"sol1", "sol2"}}};
  choice.evaluated = {"validation"};
  choice.pools = {{"train"}, {"validation"}};
  choice.rule = ShotRule::kDrawExcept;
  choice.prepare = [](Sample sample) { return with_gold_index(std::move(sample), "label"); };
  choice.question = question_of("Question: {{goal}}\nAnswer:");
  return make_choice_task(choice, options);
}

}  // namespace micius
