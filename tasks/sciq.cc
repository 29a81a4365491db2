#include "tasks/sciq.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {

Task make_sciq(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "sciq";
  choice.summary = "Science exam questions with a passage; choices by likelihood";
  choice.fields = {{"input", "question"},
                   {"choices", {"distractor1", "distractor2", "distractor3", "correct_answer"}}};
  choice.evaluated = {"test", "test.json"};
  choice.pools = {{"train", "train.json"}, {"validation", "valid.json"}, choice.evaluated};
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
