#include "tasks/openbookqa.h"

#include "tasks/arc.h"
#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {

Task make_openbookqa(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "openbookqa";
  choice.summary = "Questions about elementary science facts; choices by likelihood";
  choice.fields = {{"input", "question_stem"}, {"choices", "choices.text"}, {"unique", "id"}};
  choice.prepare = prepare_ai2;
  choice.question = question_of("{{question_stem}}");
  return make_choice_task(choice, options);
}

}  // namespace micius
