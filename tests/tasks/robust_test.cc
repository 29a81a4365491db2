#include "tasks/robust.h"

#include <map>
#include <set>
#include <string>

#include <catch2/catch.hpp>

#include "core/group_keys.h"
#include "datasets/registry.h"
#include "source_tree.h"
#include "tasks/registry.h"

namespace micius {

TEST_CASE("a robust task has the forms of 200 cases, with one answer for all") {
  TaskOptions options;
  options.roots.share = source_tree();
  const std::map<std::string, std::size_t> forms = {
      {"cmdgen", 3}, {"infrawise", 3}, {"nl2kql", 3}, {"optiflow", 2}};
  for (const auto& [name, count] : forms) {
    INFO(name);
    const Task plain = task_registry().get(name)(options);
    const Task task = task_registry().get(name + ":robust")(options);
    CHECK(task.name == name + ":robust");
    CHECK(task.metrics.size() == plain.metrics.size() + 2);
    CHECK(task.metrics[0].name == plain.metrics[0].name);
    CHECK(task.metrics[1].of == plain.metrics[0].name);
    const auto dataset = dataset_registry().get(task.dataset.name)(task.dataset, options.roots);
    std::map<std::string, std::set<std::string>> ids, inputs, answers, groups;
    for (std::size_t i = 0; i < dataset->size(); ++i) {
      const Sample sample = task.prepare(dataset->at(i));
      const std::string of = sample.extra.at("of");
      if (!ids.contains(of)) CHECK(sample.id == of);
      ids[of].insert(sample.id);
      inputs[of].insert(sample.input);
      answers[of].insert(name == "optiflow" ? sample.extra.at("best_ps").dump() : sample.targets.front());
      for (const std::string& by : task.breakdowns) {
        for (const std::string& key : group_keys(sample, by)) groups[of + by].insert(key);
      }
    }
    CHECK(ids.size() == 200);
    for (const auto& [of, all] : ids) CHECK(all.size() == count);
    for (const auto& [of, texts] : inputs) CHECK(texts.size() == (name == "optiflow" ? 1 : count));
    for (const auto& [of, targets] : answers) CHECK(targets.size() == 1);
    for (const auto& [of, keys] : groups) CHECK(keys.size() == 1);
  }
}

}  // namespace micius
