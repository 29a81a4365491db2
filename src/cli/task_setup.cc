#include "cli/task_setup.h"

#include <filesystem>

#include "core/task_data.h"
#include "scorers/registry.h"
#include "tasks/json_task.h"
#include "tasks/registry.h"
#include "tasks/suites.h"

namespace micius {

Task make_task(const std::string& source, const TaskOptions& options) {
  if (!is_task_file(source)) return task_registry().get(source)(options);
  TaskFileNames names;
  names.loaders = dataset_registry().names();
  names.scorer_metrics = [&](const Spec& scorer, const std::string& where) {
    return scorer_registry().get(scorer.name, where)(scorer, {options.roots, where, nullptr})->metrics();
  };
  return read_task_file(source, options, names);
}

std::unique_ptr<Scorer> make_scorer(const Task& task, const DataRoots& roots, Services* services) {
  return scorer_registry().get(task.scorer.name, task.name)(task.scorer, {roots, task.name, services});
}

TaskOptions task_options_of(const RunSpec& spec, const DataRoots& roots) {
  TaskOptions options;
  options.shots = spec.shots;
  options.style = spec.style;
  options.roots = roots;
  options.params = spec.task_params;
  options.system = options.params.value("system", "");
  options.params.erase("system");
  // What else a task of a file keeps there comes from the file and is compared with the spec later.
  if (is_task_file(spec.task_source)) options.params = Json::object();
  return options;
}

TaskSetup set_up_task(const std::string& source, const TaskOptions& options, std::uint64_t seed,
                      const SetupContext& context) {
  TaskSetup setup;
  setup.source = is_task_file(source) ? std::filesystem::absolute(source).string() : source;
  setup.task = make_task(source, options);
  setup.scorer = make_scorer(setup.task, options.roots, &context.services);
  const auto open = [&](const Spec& spec) {
    return context.loaders.get(spec.name, setup.task.name)(spec, options.roots);
  };
  const TaskData data = choose_dataset(setup.task, options.roots);
  setup.dataset = open(data.dataset);
  if (!data.warning.empty()) context.log.warning(data.warning);
  if (const auto pool = choose_shot_pool(setup.task, options.roots)) {
    setup.shot_pool = open(pool->dataset);
    setup.shot_pool_label = shot_pool_label(*setup.shot_pool);
    if (!pool->warning.empty()) context.log.warning(pool->warning);
  }
  setup.shots = std::make_unique<ShotPicker>(setup.task, *setup.dataset, setup.shot_pool.get(), seed);
  return setup;
}

}  // namespace micius
