// The tasks that a `micius run` names, and the flags that say how they are asked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cli/task_setup.h"
#include "core/runner.h"
#include "tasks/suites.h"

namespace micius {

class Flags;

struct TaskFlags {
  std::vector<std::string> tasks;  // as the user wrote them
  std::optional<int> shots;        // the suite's or the task's own where absent
  std::string chat_template = "auto", shots_as = "turns", system;
  std::string params;  // JSON, or ""
  std::string profile = "lm-eval";
};

// Declares all of them but `tasks`.
void add_task_flags(Flags& flags, TaskFlags& values);

class RequestedTasks {
 public:
  // Sets all of them up. Those of a suite whose data is missing, or that cannot be asked so, are warned of,
  // those that lack the same together, and left out. What `context` borrows must outlive this. Throws Error
  // as expand_tasks() and set_up_task() do, and where none is left.
  RequestedTasks(TaskFlags flags, DataRoots roots, std::uint64_t seed, SetupContext context);

  std::size_t size() const { return tasks_.size(); }
  const TaskRequest& request(std::size_t task) const { return tasks_[task].request; }
  // As the model is asked it. Where it gives no log-likelihoods that is the form that asks for the letter of
  // a choice, set up when it is first wanted, with a warning. Good for as long as this is.
  const TaskSetup& setup_for(std::size_t task, const RunnerInfo& model);
  // Does one of them need log-likelihoods?
  bool any_weighs_choices() const;

 private:
  struct Asked {
    TaskRequest request;
    TaskSetup setup;
  };

  TaskOptions options() const;
  TaskSetup set_up(const TaskRequest& request, const Json& more_params) const;
  void warn_of(const std::map<std::string, std::vector<std::string>>& left_out) const;

  const TaskFlags flags_;
  const DataRoots roots_;
  const std::uint64_t seed_;
  const SetupContext context_;
  std::vector<Asked> tasks_;
  std::map<std::size_t, TaskSetup> letter_setups_;  // by the index of the task
};

}  // namespace micius
