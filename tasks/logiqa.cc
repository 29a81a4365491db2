#include "tasks/logiqa.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {

Task make_logiqa(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "logiqa";
  choice.summary = "Questions of logical reading; choices by likelihood";
  choice.fields = {{"input", "question"}, {"choices", "options"}};
  choice.evaluated = {"test", "Test.txt"};
  choice.pools = {{"train", "Train.txt"}, {"validation", "Eval.txt"}, choice.evaluated};
  choice.prepare = [](Sample sample) {
    const std::string label(strip(JsonFields(sample.extra, sample.where).string("label")));
    return with_gold(std::move(sample), {"a", "b", "c", "d"}, label, "label");
  };
  choice.letter.question_has_choices = true;
  choice.question = question_of(
      "Passage: {{context}}\nQuestion: {{question}}\nChoices:\nA. {{options.0}}\nB. {{options.1}}\n"
      "C. {{options.2}}\nD. {{options.3}}\nAnswer:");
  return make_choice_task(choice, options);
}

}  // namespace micius
