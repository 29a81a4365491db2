// Suites, and what the TASKS argument of a command means.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

struct SuiteMember {
  std::string task;
  std::optional<std::size_t> limit;    // the first n samples; all where absent
  std::optional<int> max_tokens = {};  // of each answer; the task's own where absent
  std::optional<int> shots = {};       // the task's own where absent
};

struct Suite {
  std::string name, summary;
  std::vector<SuiteMember> members;
  // A group of lm-eval's, whose score is the mean of its tasks by number of samples.
  bool is_group = false;
};

std::vector<Suite> suites();

// Is it the path of a task file (with a '/' or ending in ".json") and no name?
bool is_task_file(std::string_view word);

// One task that the user asked for.
struct TaskRequest {
  std::string name;                           // of a task, or a path as the user wrote it
  std::optional<std::filesystem::path> file;  // set for a path
  std::optional<std::size_t> limit;           // the suite's; --limit goes over it
  std::optional<std::string> suite;    // the one it came from; absent if the user named the task itself
  std::optional<int> max_tokens = {};  // the suite's; --max-tokens goes over it
  std::optional<int> shots = {};       // the suite's; --shots goes over it
  bool operator==(const TaskRequest&) const = default;
};

// `tasks` is names, suites, globs over task names and paths (with a '/' or ending in ".json"), separated by
// commas; `names` are the tasks there are. In the order given, a suite or glob in its own; a request that
// comes again is left out, and one of a suite goes where the user names the same task himself. Throws
// Error{kUsage} for what is none of these, with the nearest name.
std::vector<TaskRequest> expand_tasks(std::string_view tasks, const std::vector<std::string>& names);

}  // namespace micius
