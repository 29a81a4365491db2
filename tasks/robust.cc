#include "tasks/robust.h"

#include <algorithm>
#include <filesystem>
#include <utility>

namespace micius {

Task robust_task(Task task) {
  task.name += ":robust";
  const std::filesystem::path test = task.dataset.params.at("path").get<std::string>();
  task.dataset.params["path"] = (test.parent_path() / "robust.jsonl").string();
  task.dataset.params["beside"] = {{"path", test.string()}, {"field", "of"}};
  const std::string primary = task.metrics.front().name, unit = task.metrics.front().unit;
  task.metrics.insert(task.metrics.begin() + 1,
                      {{"worst", unit, Direction::kHigherIsBetter, Reduction::kWorst, primary},
                       {"flip_rate", "fraction", Direction::kLowerIsBetter, Reduction::kFlips, primary}});
  // By these the forms of a case differ, and a group would have some of them.
  std::erase_if(task.breakdowns, [](const std::string& by) { return by == "slice" || by == "tags"; });
  task.cluster = "of";
  task.prepare = [prepare = std::move(task.prepare)](Sample sample) {
    if (!sample.extra.contains("of")) sample.extra["of"] = sample.id;
    return prepare(std::move(sample));
  };
  return task;
}

}  // namespace micius
