// Each tests/tasks/<task>.jsonl against its task, one case a line: "row" of the data and "shots", rows of the
// pool; "style", "system" and "params" where they are not the default; then "prompt" and perhaps "gold",
// "target" and "reference", or "error", in which DIR is the folder of the data.
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "core/names.h"
#include "core/record_json.h"
#include "datasets/registry.h"
#include "tasks/registry.h"
#include "tasks/task_files.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

std::vector<Sample> read_rows(const Task& task, const Spec& spec, const Json& rows, const fs::path& root) {
  write_rows(spec, rows, root);
  const auto dataset = dataset_registry().get(spec.name)(spec, {root, root});
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < dataset->size(); ++i) samples.push_back(task.prepare(dataset->at(i)));
  return samples;
}

void check_case(const std::string& name, const JsonFields& test) {
  INFO(name << ": " << test.string("name"));
  const TempDir folder;
  TaskOptions options;
  if (test.has("style")) options.style = prompt_style_from(test.string("style"));
  options.system = test.string_or("system", "");
  if (test.has("params")) options.params = test.at("params");
  const Task task = task_registry().get(name)(options);
  const Json rows = Json::array({test.at("row")});
  if (test.has("error")) {
    const fs::path file = task.dataset.params.at("path").get<std::string>();
    const std::string data = (folder.path() / file.parent_path()).string();
    CHECK_THROWS_WITH(read_rows(task, task.dataset, rows, folder.path()),
                      Catch::StartsWith(replace_all(test.string("error"), "DIR", data)));
    return;
  }
  const Sample sample = read_rows(task, task.dataset, rows, folder.path()).front();
  std::vector<Sample> shots;
  if (test.has("shots"))
    shots = read_rows(task, task.shot_source.pools.front().dataset, test.at("shots"), folder.path());
  const auto prompt = task.next(sample, shots, {});
  REQUIRE(prompt);
  CHECK(dump_json(to_json(*prompt)) == dump_json(test.at("prompt")));
  CHECK(prompt->sample_id == "0");
  if (test.has("gold")) CHECK(sample.extra.at("gold") == test.at("gold"));
  if (test.has("target")) CHECK(sample.targets == std::vector<std::string>{test.string("target")});
  if (test.has("reference")) CHECK(task.reference(sample, std::vector<Turn>(0)) == test.string("reference"));
  const std::vector<Turn> turns(1);
  CHECK_FALSE(task.next(sample, shots, turns));
}

}  // namespace

TEST_CASE("general tasks, by cases") {
  std::size_t tasks = 0;
  for (const TaskCases& of_task : all_task_cases()) {
    for (const Json& test : of_task.cases) check_case(of_task.task, JsonFields(test, of_task.task));
    CHECK(of_task.cases.size() >= 3);
    ++tasks;
  }
  CHECK(tasks >= 19);
}

TEST_CASE("a task's options are checked") {
  TaskOptions options;
  options.params["mode"] = "x";
  CHECK_THROWS_WITH(task_registry().get("arc_easy")(options), "arc_easy: unknown field 'mode'");
  CHECK_THROWS_WITH(task_registry().get("arc_esy"), Catch::Contains("did you mean 'arc_easy'?"));
}

}  // namespace micius
