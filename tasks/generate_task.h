// Tasks whose answer is generated and read by filters or run, as lm-eval's generate_until does.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/task.h"

namespace micius {

// What one such task says of itself; the rest is shared.
struct GenerateTask {
  std::string name;
  std::string summary;
  int version = 1;
  Spec dataset;
  std::vector<StandIn> pools = {};  // none: --shots does nothing
  ShotRule rule = ShotRule::kFirst;
  int shots = 0;
  int max_tokens = 256;
  std::vector<std::string> stop;
  Spec scorer;  // is given `stop` as well: it cuts a text that has more than the model was to write
  std::vector<MetricInfo> metrics;
  std::string description = {};  // what stands before everything, with its own line ends
  std::string answer_delimiter = " ";
  std::function<Sample(Sample)> prepare = {};  // sets the targets where the loader does not
  std::function<std::string(const Sample&)> question;
  std::function<std::string(const Sample&)> prefix = {};     // with which the model's answer is begun for it
  std::function<std::string(const Sample&)> answer = {};     // of a shot; its first target where empty
  std::function<std::string(const Sample&)> reference = {};  // Task::reference; the same
};

// pass@1, and pass@k of the k that runs with --repeats are compared by; a report has those of at most its
// repeats.
std::vector<MetricInfo> pass_metrics();

// Throws Error{kInvalidData} for params, which such a task has none of.
Task make_generate_task(const GenerateTask& generate, const TaskOptions& options);

}  // namespace micius
