#include "tasks/mmlu.h"

#include <string_view>
#include <utility>

#include "base/text.h"
#include "tasks/choice_task.h"
#include "tasks/general_rows.h"

namespace micius {
namespace {

struct Subjects {
  const char* group;
  const char* names;  // with blanks between them
};

constexpr Subjects kSubjects[] = {
    {"mmlu_stem",
     "abstract_algebra anatomy astronomy college_biology college_chemistry college_computer_science "
     "college_mathematics college_physics computer_security conceptual_physics electrical_engineering "
     "elementary_mathematics high_school_biology high_school_chemistry high_school_computer_science "
     "high_school_mathematics high_school_physics high_school_statistics machine_learning"},
    {"mmlu_other",
     "business_ethics clinical_knowledge college_medicine global_facts human_aging management marketing "
     "medical_genetics miscellaneous nutrition professional_accounting professional_medicine virology"},
    {"mmlu_social_sciences",
     "econometrics high_school_geography high_school_government_and_politics high_school_macroeconomics "
     "high_school_microeconomics high_school_psychology human_sexuality professional_psychology "
     "public_relations security_studies sociology us_foreign_policy"},
    {"mmlu_humanities",
     "formal_logic high_school_european_history high_school_us_history high_school_world_history "
     "international_law jurisprudence logical_fallacies moral_disputes moral_scenarios philosophy prehistory "
     "professional_law world_religions"},
};

const std::vector<std::string> kLetters = {"A", "B", "C", "D"};

// The four texts stay in the row: what is weighed are their letters.
Sample prepare_mmlu(Sample sample) {
  if (sample.choices.size() != kLetters.size())
    fail_sample(sample, "choices", fmt::format("{} choices, not 4", sample.choices.size()));
  sample.input = strip(sample.input);
  sample.choices = kLetters;
  return with_gold_index(std::move(sample), "answer");
}

Task make_subject(const std::string& subject, const TaskOptions& options) {
  ChoiceTask choice;
  choice.name = "mmlu_" + subject;
  choice.folder = "mmlu";
  choice.summary = "MMLU, " + replace_all(subject, "_", " ") + "; the letter by likelihood";
  choice.fields = {
      {"input", "question"}, {"choices", "choices"}, {"only", {{"field", "subject"}, {"values", {subject}}}}};
  choice.pools = {{"dev"}};
  choice.rule = ShotRule::kFirst;
  choice.metrics = {"acc"};
  choice.description = fmt::format("The following are multiple choice questions (with answers) about {}.\n\n",
                                   replace_all(subject, "_", " "));
  choice.prepare = prepare_mmlu;
  choice.letter.question_has_choices = true;
  choice.question = question_of(
      "{{input}}\nA. {{choices.0}}\nB. {{choices.1}}\nC. {{choices.2}}\nD. {{choices.3}}\nAnswer:");
  return make_choice_task(choice, options);
}

}  // namespace

std::vector<Registry<TaskFactory>::Entry> mmlu_tasks() {
  std::vector<Registry<TaskFactory>::Entry> entries;
  for (const Subjects& subjects : kSubjects) {
    for (const std::string_view name : split_words(subjects.names)) {
      const std::string subject(name);
      entries.push_back({"mmlu_" + subject, "MMLU, " + replace_all(subject, "_", " "),
                         [subject](const TaskOptions& options) { return make_subject(subject, options); }});
    }
  }
  return entries;
}

std::vector<MmluGroup> mmlu_groups() {
  std::vector<MmluGroup> groups;
  for (const Subjects& subjects : kSubjects) {
    groups.push_back({subjects.group, {}});
    for (const std::string_view name : split_words(subjects.names))
      groups.back().tasks.push_back("mmlu_" + std::string(name));
  }
  return groups;
}

}  // namespace micius
