#include "cli/data_export.h"

#include <iostream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/flags.h"
#include "cli/services.h"
#include "cli/task_setup.h"
#include "datasets/registry.h"
#include "pipeline/tuning.h"
#include "tasks/registry.h"
#include "tasks/suites.h"

namespace micius {
namespace {

constexpr const char* kTestSplits[] = {"test", "dev", "robust"};

TuningFormat format_of(const std::string& name) {
  return name == "chat"     ? TuningFormat::kChat
         : name == "alpaca" ? TuningFormat::kAlpaca
                            : TuningFormat::kText;
}

// The same suite's cases of `split`: the file beside that of the test.
Spec split_of(const Task& task, const std::string& split) {
  if (task.suite != "aimicius") {
    fail(ErrorCode::kUsage, "task '{}' has no data to export; the tasks of the suite aimicius have",
         task.name);
  }
  Spec dataset = task.dataset;
  const std::filesystem::path test = dataset.params.at("path").get<std::string>();
  dataset.params.erase("beside");
  dataset.params["path"] = (test.parent_path() / (split + ".jsonl")).string();
  return dataset;
}

}  // namespace

void DataExport::define(Flags& flags) {
  flags.add("tasks", tasks_, "Tasks of the suite aimicius, or all of it by its name")
      .required()
      .delimiter(',')
      .type("SUITE");
  flags.add("--split", split_, "tuning; test, dev and robust are not to be trained on")
      .one_of({"tuning", "test", "dev", "robust"})
      .show_default();
  flags.add("--format", format_, "chat (messages), alpaca (instruction, output) or text")
      .one_of({"chat", "alpaca", "text"})
      .show_default();
  flags.add("--turns", turns_, "Of tasks with two turns: all (runs the programs of the first) or first")
      .one_of({"all", "first"})
      .show_default();
  flags.add("-o,--output", output_, "File to write (default, and -: stdout)").type("FILE");
  flags.add("--i-know-this-is-test-data", test_data_,
            "Export test, dev or robust: a model that saw them cannot be measured any more");
  add_data_dir_flag(flags, places_);
}

void DataExport::run() const {
  for (const char* test : kTestSplits) {
    if (split_ != test || test_data_) continue;
    fail(ErrorCode::kUsage,
         "--split {}: this is test data, and a model that was trained on it cannot be measured any more; add "
         "--i-know-this-is-test-data if you want it for something else",
         split_);
  }
  LazyServices services(0, places_);
  const auto loaders = dataset_registry();
  const TuningTurns turns = turns_ == "first" ? TuningTurns::kFirst : TuningTurns::kAll;
  std::ostringstream kept;
  const bool to_file = !output_.empty() && output_ != "-";
  std::ostream& out = to_file ? kept : std::cout;
  for (const TaskRequest& request : expand_tasks(join(tasks_, ","), task_registry().names())) {
    TaskOptions options;
    options.roots = data_roots(places_);
    const Task task = make_task(request.name, options);
    const Spec source = split_of(task, split_);
    const auto scorer = make_scorer(task, options.roots, &services);
    const auto dataset = loaders.get(source.name, task.name)(source, options.roots);
    for (std::size_t i = 0; i < dataset->size(); ++i) {
      const Sample sample = task.prepare ? task.prepare(dataset->at(i)) : dataset->at(i);
      for (const Json& line : tuning_lines(task, *scorer, sample, turns, format_of(format_)))
        out << dump_json(line) << '\n';
    }
  }
  if (to_file) write_file_atomic(output_, kept.str());
}

}  // namespace micius
