#include "tasks/logiqa.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"

namespace micius {

Task make_logiqa(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "logiqa";
  choice.summary = "Questions of logical reading; choices by likelihood";
  choice.fields = {{"input", "question"}, {"choices", "options"}};
  Spec original{"logiqa", choice.fields};
  original.params["path"] = "general/logiqa/Test.txt";
  choice.stand_ins = {{original, ""}};
  choice.prepare = [](Sample sample) {
    const std::string label(strip(JsonFields(sample.extra, sample.where).string("label")));
    return with_gold(std::move(sample), {"a", "b", "c", "d"}, label, "label");
  };
  choice.question = question_of(
      "Passage: {{context}}\nQuestion: {{question}}\nChoices:\nA. {{options.0}}\nB. {{options.1}}\n"
      "C. {{options.2}}\nD. {{options.3}}\nAnswer:");
  return make_choice_task(choice, options);
}

}  // namespace micius
