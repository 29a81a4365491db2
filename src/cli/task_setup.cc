#include "cli/task_setup.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/error.h"
#include "core/task_data.h"
#include "scorers/registry.h"
#include "tasks/json_task.h"
#include "tasks/registry.h"
#include "tasks/suites.h"

namespace micius {

Task make_task(const std::string& source, const TaskOptions& options) {
  if (options.params.contains("profile")) {
    TaskOptions plain = options;
    plain.params = Json::object();
    if (is_task_file(source) || !has_letter_form(task_registry().get(source)(plain)))
      fail(ErrorCode::kUnsupported,
           "--profile llama.cpp weighs the choices of general tasks; this one has none");
  }
  if (!is_task_file(source)) return task_registry().get(source)(options);
  TaskFileNames names;
  names.loaders = dataset_registry().names();
  names.scorer_metrics = [&](const Spec& scorer, const std::string& where) {
    return scorer_registry().get(scorer.name, where)(scorer, {options.roots, where, nullptr})->metrics();
  };
  return read_task_file(source, options, names);
}

bool has_letter_form(const Task& task) { return task.suite == "general" && task.scorer.name == "choice"; }

bool weighs_choices(const TaskSetup& setup) {
  if (setup.dataset->size() == 0) return false;
  const Sample first = setup.dataset->at(0);
  const std::optional<Prompt> prompt =
      setup.task.next(setup.task.prepare ? setup.task.prepare(first) : first, {}, {});
  return prompt && std::holds_alternative<LikelihoodInput>(prompt->input);
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

namespace {

// Only of third-party data; the project's own, and a user's file, are what they are.
bool is_of_manifest(const Spec& dataset) {
  const std::filesystem::path path = dataset.params.value("path", "");
  return dataset.params.value("root", "data") == "data" && path.is_relative();
}

// A part that stands in is none, whatever its hash.
void note_data(const TaskData& data, const SetupContext& context, TaskSetup& setup) {
  const std::string name(setup.dataset->name()), hash = setup.dataset->content_hash();
  if (!data.note.empty()) {
    setup.notes.push_back(data.note);
  } else if (is_of_manifest(data.dataset) && !is_published(context.manifest, name, hash)) {
    setup.notes.push_back(fmt::format("not the published split: the SHA-256 of {}, {}, is not the manifest's",
                                      name, hash.substr(0, 12)));
  }
  setup.is_published = setup.notes.empty();
}

}  // namespace

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
  note_data(data, context, setup);
  if (const auto pool = choose_shot_pool(setup.task, options.roots)) {
    setup.shot_pool = open(pool->dataset);
    setup.shot_pool_label = shot_pool_label(*setup.shot_pool);
    if (!pool->note.empty()) setup.notes.push_back(pool->note);
  }
  for (const std::string& note : setup.notes) context.log.warning(note);
  setup.shots = std::make_unique<ShotPicker>(setup.task, *setup.dataset, setup.shot_pool.get(), seed);
  return setup;
}

}  // namespace micius
