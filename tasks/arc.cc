#include "tasks/arc.h"

#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {
namespace {

Task make_arc(const std::string& name, const std::string& summary, const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = name;
  choice.summary = summary;
  choice.fields = {{"input", "question"}, {"choices", "choices.text"}, {"unique", "id"}};
  choice.prepare = prepare_ai2;
  choice.question = question_of("Question: {{question}}\nAnswer:");
  return make_choice_task(choice, options);
}

}  // namespace

Sample prepare_ai2(Sample sample) {
  const JsonFields row(sample.extra, sample.where);
  const std::vector<std::string> labels = row.object("choices").strings_or("label", {});
  const std::string key = row.string("answerKey");
  return with_gold(std::move(sample), labels, std::string(strip(key)), "answerKey");
}

Task make_arc_easy(const TaskOptions& options) {
  return make_arc("arc_easy", "School science questions, the easy set; choices by likelihood", options);
}

Task make_arc_challenge(const TaskOptions& options) {
  return make_arc("arc_challenge", "School science questions, the hard set; choices by likelihood", options);
}

}  // namespace micius
