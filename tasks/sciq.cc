#include "tasks/sciq.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"

namespace micius {

Task make_sciq(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "sciq";
  choice.summary = "Science exam questions with a passage; choices by likelihood";
  choice.fields = {{"input", "question"},
                   {"choices", {"distractor1", "distractor2", "distractor3", "correct_answer"}}};
  Spec original{"json_list", choice.fields};
  original.params["path"] = "general/sciq/test.json";
  choice.stand_ins = {{original, ""}};
  choice.prepare = [](Sample sample) {
    sample.extra["gold"] = 3;
    sample.targets = {sample.choices[3]};
    return sample;
  };
  choice.question = [question = question_of("\nQuestion: {{question}}\nAnswer:")](const Sample& sample) {
    const std::string support = JsonFields(sample.extra, sample.where).string("support");
    return std::string(strip_left(support)) + question(sample);
  };
  return make_choice_task(choice, options);
}

}  // namespace micius
