#include "tasks/bbh.h"

#include <utility>

#include "tasks/general_rows.h"
#include "tasks/generate_task.h"

namespace micius {
namespace {

struct Subset {
  const char* name;
  const char* description;
};

constexpr Subset kSubsets[] = {
    {"boolean_expressions", "Evaluate the result of a random Boolean expression."},
    {"causal_judgement", "Answer questions about causal attribution."},
    {"date_understanding", "Infer the date from context."},
    {"disambiguation_qa", "Clarify the meaning of sentences with ambiguous pronouns."},
    {"dyck_languages", "Correctly close a Dyck-n word."},
    {"formal_fallacies", "Distinguish deductively valid arguments from formal fallacies."},
    {"geometric_shapes", "Name geometric shapes from their SVG paths."},
    {"hyperbaton", "Order adjectives correctly in English sentences."},
    {"logical_deduction_five_objects",
     "A logical deduction task which requires deducing the order of a sequence of objects."},
    {"logical_deduction_seven_objects",
     "A logical deduction task which requires deducing the order of a sequence of objects."},
    {"logical_deduction_three_objects",
     "A logical deduction task which requires deducing the order of a sequence of objects."},
    {"movie_recommendation", "Recommend movies similar to the given list of movies."},
    {"multistep_arithmetic_two", "Solve multi-step arithmetic problems."},
    {"navigate",
     "Given a series of navigation instructions, determine whether one would end up back at the starting "
     "point."},
    {"object_counting", "Questions that involve enumerating objects and asking the model to count them."},
    {"penguins_in_a_table", "Answer questions about a table of penguins and their attributes."},
    {"reasoning_about_colored_objects",
     "Answer extremely simple questions about the colors of objects on a surface."},
    {"ruin_names", "Select the humorous edit that 'ruins' the input movie or musical artist name."},
    {"salient_translation_error_detection",
     "Detect the type of error in an English translation of a German source sentence."},
    {"snarks",
     "Determine which of two sentences is sarcastic.\n\nAccording to Cambridge University Dictionary, "
     "sarcasm is \"the use of remarks that clearly mean the opposite of what they say, made in order to hurt "
     "someone's feelings or to criticize something in a humorous way.\" Sarcastic sentences often contain "
     "satirical or ironic utterances, hyperboles, ambivalent or witty remarks."},
    {"sports_understanding",
     "Determine whether an artificially constructed sentence relating to sports is plausible or not."},
    {"temporal_sequences",
     "Task description: Answer questions about which times certain events could have occurred."},
    {"tracking_shuffled_objects_five_objects",
     "A task requiring determining the final positions of a set of objects given their initial positions and "
     "a description of a sequence of swaps."},
    {"tracking_shuffled_objects_seven_objects",
     "A task requiring determining the final positions of a set of objects given their initial positions and "
     "a description of a sequence of swaps."},
    {"tracking_shuffled_objects_three_objects",
     "A task requiring determining the final positions of a set of objects given their initial positions and "
     "a description of a sequence of swaps."},
    {"web_of_lies", "Evaluate a random boolean function expressed as a word problem."},
    {"word_sorting", "Sort a list of words."},
};

// The pattern always eats one character behind the answer, by rule its full stop: "the answer is No" is "N".
Spec answer_scorer() {
  const Json regex = {{"function", "regex"}, {"regex_pattern", "(?<=the answer is )(.*)(?=.)"}};
  const Json first = {{"function", "take_first"}};
  return {"exact_match", {{"filter_list", {{{"name", "get-answer"}, {"filter", {regex, first}}}}}}};
}

Task make_subset(const Subset& subset, const TaskOptions& options) {
  const std::string name = subset.name;
  const Json fields = {{"input", "input"}, {"targets", "target"}};
  GenerateTask task;
  task.name = "bbh_cot_fewshot_" + name;
  task.summary = "BIG-Bench Hard, " + name + "; reasoning, then the answer";
  task.version = 4;
  task.dataset = general_file("bbh", name, fields);
  Spec shots = general_file("bbh", "shots.json", fields);
  shots.params["at"] = name + ".cot_samples";
  task.pools = {{shots}};
  task.shots = 3;
  task.max_tokens = 1024;
  task.stop = {"</s>", "Q", "\n\n"};
  task.scorer = answer_scorer();
  task.metrics = {{"exact_match"}};
  task.description = std::string(subset.description) + "\n\n";
  task.answer_delimiter = "";
  task.question = question_of("Q: {{input}}\nA: Let's think step by step.\n");
  task.reference = [](const Sample& sample) { return "So the answer is " + sample.targets.front() + "."; };
  return make_generate_task(task, options);
}

}  // namespace

std::vector<Registry<TaskFactory>::Entry> bbh_tasks() {
  std::vector<Registry<TaskFactory>::Entry> entries;
  for (const Subset& subset : kSubsets) {
    entries.push_back({std::string("bbh_cot_fewshot_") + subset.name,
                       std::string("BIG-Bench Hard, ") + subset.name,
                       [subset](const TaskOptions& options) { return make_subset(subset, options); }});
  }
  return entries;
}

}  // namespace micius
