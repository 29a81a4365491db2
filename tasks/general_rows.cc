#include "tasks/general_rows.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "tasks/template.h"

namespace micius {

void fail_sample(const Sample& sample, const std::string& field, const std::string& what) {
  fail(ErrorCode::kInvalidData, "{}: field '{}': {}", sample.where, field, what);
}

Sample with_gold(Sample sample, const std::vector<std::string>& labels, const std::string& answer,
                 const std::string& answer_field) {
  if (labels.size() != sample.choices.size()) {
    fail_sample(sample, answer_field,
                fmt::format("{} labels for {} choices", labels.size(), sample.choices.size()));
  }
  const auto it = std::find(labels.begin(), labels.end(), answer);
  if (it == labels.end()) {
    fail_sample(sample, answer_field,
                fmt::format("answer '{}' is not among the labels {}", answer, join(labels, ", ")));
  }
  const auto gold = static_cast<std::size_t>(it - labels.begin());
  sample.extra["gold"] = gold;
  sample.targets = {sample.choices[gold]};
  return sample;
}

Sample with_gold_index(Sample sample, const std::string& field) {
  const Json& value = JsonFields(sample.extra, sample.where).at(field);
  const auto label = scalar_text(value);
  if (!label)
    fail_sample(sample, field, fmt::format("must be a number or a string, found {}", value.type_name()));
  std::vector<std::string> labels;
  for (std::size_t i = 0; i < sample.choices.size(); ++i) labels.push_back(std::to_string(i));
  return with_gold(std::move(sample), labels, *label, field);
}

Task general_task(const std::string& name, const std::string& summary, const TaskOptions& options) {
  Task task;
  task.name = name;
  task.suite = "general";
  task.summary = summary;
  task.style = options.style.value_or(PromptStyle::kText);
  if (!options.system.empty()) task.params["system"] = options.system;
  return task;
}

Spec general_file(const std::string& folder, const std::string& name, const Json& fields) {
  const std::string ending = std::filesystem::path(name).extension().string();
  Spec spec{ending == ".json" ? "json_list" : ending == ".txt" ? "logiqa" : "jsonl", fields};
  spec.params["path"] = fmt::format("general/{}/{}{}", folder, name, ending.empty() ? ".jsonl" : "");
  return spec;
}

std::function<std::string(const Sample&)> question_of(std::string_view text) {
  return [question = Template(text, "")](const Sample& sample) { return question.render(sample); };
}

}  // namespace micius
