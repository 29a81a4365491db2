// What the general tasks share: their data's files and rows, and what of a task is the same for all.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sample.h"
#include "core/spec.h"
#include "core/task.h"

namespace micius {

// A task of the suite with its name, style and system text.
Task general_task(const std::string& name, const std::string& summary, const TaskOptions& options);

// The loader's spec of general/<folder>/<name>: JSON lines for a name without an ending ("test" is
// test.jsonl), one JSON list for ".json", LogiQA's own form for ".txt".
Spec general_file(const std::string& folder, const std::string& name, const Json& fields);

// A question from a text with fields to fill in (template.h): "Question: {{goal}}\nAnswer:".
std::function<std::string(const Sample&)> question_of(std::string_view text);

// The sample with "gold" set to the choice whose label is `answer` and the target to its text. Throws
// Error{kInvalidData} naming the field if the labels do not fit the choices or none is the answer.
Sample with_gold(Sample sample, const std::vector<std::string>& labels, const std::string& answer,
                 const std::string& answer_field);

// The same with the choice whose index, from 0, stands in the row's field, as a number or as text.
Sample with_gold_index(Sample sample, const std::string& field);

// Throws Error{kInvalidData} beginning "FILE:LINE: field 'FIELD'".
[[noreturn]] void fail_sample(const Sample& sample, const std::string& field, const std::string& what);

}  // namespace micius
