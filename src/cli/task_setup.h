// Everything that asking one task needs, made from its name or file.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/log.h"
#include "cli/places.h"
#include "core/dataset.h"
#include "core/manifest.h"
#include "core/run.h"
#include "core/scorer.h"
#include "core/services.h"
#include "core/shots.h"
#include "core/task.h"
#include "datasets/registry.h"

namespace micius {

struct TaskSetup {
  std::string source;  // as it was named
  Task task;
  std::unique_ptr<Scorer> scorer;
  std::unique_ptr<Dataset> dataset;
  std::unique_ptr<Dataset> shot_pool;  // null if the task takes no shots
  std::unique_ptr<ShotPicker> shots;   // borrows the two above
  // Of `shots`, which runs of several models use at once.
  std::unique_ptr<std::mutex> picking = std::make_unique<std::mutex>();
  std::string shot_pool_label;     // "" without
  bool is_published = true;        // DatasetRef::is_published
  std::vector<std::string> notes;  // RunSpec::notes; said as warnings, too
};

// `source`: a name of the registry, or the path of a task file. Throws Error{kUnsupported} where
// options.params has a profile and the task is not one of choices.
Task make_task(const std::string& source, const TaskOptions& options);
// Can the letters of the task's choices be asked for (params "form": "letter")?
bool has_letter_form(const Task& task);
// `services` must outlive the scorer; null where only the names of the metrics are asked.
std::unique_ptr<Scorer> make_scorer(const Task& task, const DataRoots& roots, Services* services);

// Does it need log-likelihoods? Its first prompt tells.
bool weighs_choices(const TaskSetup& setup);

// The options that the run's task was made with.
TaskOptions task_options_of(const RunSpec& spec, const DataRoots& roots);

// What the set-ups of one command share; their scorers borrow the services.
struct SetupContext {
  Services& services;
  Log& log;
  Registry<DatasetFactory> loaders = dataset_registry();  // tasks that read one file read it once
  Manifest manifest = data_manifest();
};

// Throws Error as the parts do: unknown names, missing data with the command that gets it.
TaskSetup set_up_task(const std::string& source, const TaskOptions& options, std::uint64_t seed,
                      const SetupContext& context);

}  // namespace micius
