#include "tasks/hellaswag.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {
namespace {

// re.sub(r"\[.*?\]", "", text): no part goes over the end of a line.
std::string without_brackets(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const std::size_t open = std::min(text.find('['), text.size());
    out += text.substr(0, open);
    text.remove_prefix(open);
    const std::size_t end = std::min(text.find_first_of("]\n"), text.size());
    if (end < text.size() && text[end] == ']') {
      text.remove_prefix(end + 1);
    } else {  // nothing up to here closes
      out += text.substr(0, end);
      text.remove_prefix(end);
      if (!text.empty()) {
        out += '\n';
        text.remove_prefix(1);
      }
    }
  }
  return out;
}

// wikiHow texts have marks such as [title] and [step] in them.
std::string clean(std::string_view text) {
  std::string cleaned = replace_all(std::string(strip(text)), " [title]", ". ");
  return replace_all(without_brackets(cleaned), "  ", " ");
}

Sample prepare_hellaswag(Sample sample) {
  const JsonFields row(sample.extra, sample.where);
  sample.input = clean(row.string("activity_label") + ": " + row.string("ctx_a") + " " +
                       capitalize(row.string("ctx_b")));
  for (std::string& ending : sample.choices) ending = clean(ending);
  return with_gold_index(std::move(sample), "label");
}

}  // namespace

Task make_hellaswag(const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "hellaswag";
  choice.summary = "How does a scene go on? Endings by likelihood";
  choice.fields = {{"choices", "endings"}};
  choice.evaluated = {"validation", "hellaswag_val"};
  choice.part = {
      {"validation_activitynet_subset",
       "302 of 10,042 questions, none of them of wikiHow; no score to compare with published ones"}};
  choice.pools = {{"train", "hellaswag_train"}, choice.evaluated, {choice.part->file}};
  choice.letter.ask = "Which of these comes next?";
  choice.rule = ShotRule::kDrawExcept;
  choice.prepare = prepare_hellaswag;
  choice.question = [](const Sample& sample) { return sample.input; };
  return make_choice_task(choice, options);
}

}  // namespace micius
