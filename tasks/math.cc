#include "tasks/math.h"

#include <utility>

#include <fmt/format.h>

#include "base/boxed.h"
#include "tasks/general_rows.h"
#include "tasks/generate_task.h"

namespace micius {
namespace {

struct Type {
  const char* name;  // in lm-eval's tasks
  const char* type;  // in the data
};

constexpr Type kTypes[] = {
    {"algebra", "Algebra"},          {"counting_and_prob", "Counting & Probability"},
    {"geometry", "Geometry"},        {"intermediate_algebra", "Intermediate Algebra"},
    {"num_theory", "Number Theory"}, {"prealgebra", "Prealgebra"},
    {"precalc", "Precalculus"},
};

// What the last box of a solution holds, for the reference model; the whole solution where none is closed.
std::string boxed(const std::string& solution) {
  const auto box = last_boxed_only_string(solution);
  return (box ? remove_boxed(*box) : std::nullopt).value_or(solution);
}

GenerateTask math_task(const std::string& rules, const Type& type) {
  GenerateTask task;
  task.name = fmt::format("{}_math_{}", rules, type.name);
  task.dataset = general_file("math", "test",
                              {{"input", "problem"},
                               {"targets", "solution"},
                               {"only", {{"field", "type"}, {"values", {type.type}}}}});
  task.stop = {"Problem:"};
  task.scorer = {"math", {{"rules", rules}}};
  task.metrics = {{"exact_match"}, {"string_match"}, {"symbolic_match"}};
  return task;
}

Task make_minerva(const Type& type, const TaskOptions& options) {
  GenerateTask task = math_task("minerva", type);
  task.summary = fmt::format("MATH, {}, four fixed worked examples", type.type);
  task.version = 3;
  task.pools = {{general_file("math", "shots.json", {{"input", "problem"}, {"targets", "solution"}})}};
  task.shots = 4;
  task.question = question_of("Problem:\n{{problem}}\n\nSolution:");
  task.reference = [](const Sample& sample) {
    return fmt::format("Final Answer: The final answer is ${}$. I hope it is correct.",
                       boxed(sample.targets.front()));
  };
  return make_generate_task(task, options);
}

Task make_hendrycks(const Type& type, const TaskOptions& options) {
  GenerateTask task = math_task("hendrycks", type);
  task.summary = fmt::format("MATH, {}, the answer between $ and $", type.type);
  task.question = question_of("Problem: {{problem}}\nAnswer:");
  task.reference = [](const Sample& sample) { return fmt::format("${}$", boxed(sample.targets.front())); };
  return make_generate_task(task, options);
}

std::vector<Registry<TaskFactory>::Entry> entries(const std::string& rules,
                                                  Task (*make)(const Type&, const TaskOptions&)) {
  std::vector<Registry<TaskFactory>::Entry> entries;
  for (const Type& type : kTypes) {
    entries.push_back({fmt::format("{}_math_{}", rules, type.name), fmt::format("MATH, {}", type.type),
                       [type, make](const TaskOptions& options) { return make(type, options); }});
  }
  return entries;
}

}  // namespace

std::vector<Registry<TaskFactory>::Entry> minerva_math_tasks() { return entries("minerva", make_minerva); }
std::vector<Registry<TaskFactory>::Entry> hendrycks_math_tasks() {
  return entries("hendrycks", make_hendrycks);
}

}  // namespace micius
