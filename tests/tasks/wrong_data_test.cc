// Rows that are wrong stop a run before its first token, with file, line and field: every field of a good row
// of every general task is taken away, or holds what it must not.
#include <optional>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/text.h"
#include "core/record_json.h"
#include "core/shots.h"
#include "datasets/registry.h"
#include "pipeline/plan.h"
#include "tasks/task_files.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// A task with the rows of its data and of its pool.
struct Data {
  std::string task;
  Json rows, shots;
};

RunnerInfo model() {
  RunnerInfo info;
  info.name = "fake";
  info.chat_template = true;
  return info;
}

Task task_of(const Data& data) {
  TaskOptions options;
  options.shots = static_cast<int>(data.shots.size());
  return task_registry().get(data.task)(options);
}

// What a run over the data would ask first and the right answer to it; throws as make_plan does.
std::string first_prompt(const Data& data, const fs::path& root) {
  const Task task = task_of(data);
  const auto loaders = dataset_registry();
  const auto open = [&](const Spec& spec, const Json& rows) {
    write_rows(spec, rows, root);
    return loaders.get(spec.name)(spec, {root, root});
  };
  std::unique_ptr<Dataset> pool;
  if (!data.shots.empty()) {
    Json rows = data.shots;
    if (task.shot_source.rule == ShotRule::kDrawExcept) rows.push_back(rows.back());  // one more is drawn
    pool = open(task.shot_source.pools.front().dataset, rows);
  }
  const auto dataset = open(task.dataset, data.rows);
  ShotPicker picker(task, *dataset, pool.get(), 1234);
  const auto shots_for = [&](std::size_t index) { return picker.shots_for(index); };
  const auto for_each = [&](const std::function<void(const Sample&)>& fn) { picker.for_each_candidate(fn); };
  const RunnerInfo info = model();
  const Plan plan = make_plan({task, *dataset, info, shots_for, "", "", for_each}, {});
  const Sample& sample = plan.samples.front();
  return dump_json(to_json(*task.next(sample, shots_for(0), {}))) + task.reference(sample, {});
}

// Is the data refused? If not, what is asked must be what was asked of the good data.
bool is_refused(const Data& data, const std::string& good, const std::string& place,
                const std::string& field) {
  const TempDir folder;
  try {
    const std::string prompt = first_prompt(data, folder.path());
    CHECK(prompt == good);
    return false;
  } catch (const Error& error) {
    CHECK(error.code() == ErrorCode::kInvalidData);
    const std::string message = replace_all(error.what(), folder.path().string() + "/", "");
    CHECK_THAT(message, Catch::StartsWith(place) && Catch::Contains("'" + field));
    return true;
  }
}

// Each field of `row`, a reference into `data`, in turn; returns how many cannot be without.
std::size_t check_fields(Data& data, Json& row, const Spec& spec) {
  std::string good;
  {
    const TempDir folder;
    good = first_prompt(data, folder.path());
  }
  const std::string path = spec.params.at("path");
  const std::string place =
      spec.name == "json_list"
          ? path + ": " +
                (spec.params.contains("at") ? "'" + spec.params.at("at").get<std::string>() + "' " : "") +
                "item 0: "
          : path + ":1: ";
  const Json whole = row;
  std::size_t needed = 0;
  for (const auto& item : whole.items()) {
    INFO(data.task << " without " << item.key() << " in " << path);
    row = whole;
    row.erase(item.key());
    const bool is_needed = is_refused(data, good, place, item.key());
    needed += is_needed;
    for (const Json& wrong : {Json(), Json({{"x", 1}})}) {
      INFO("with " << dump_json(wrong));
      row = whole;
      row[item.key()] = wrong;
      CHECK(is_refused(data, good, place, item.key()) == is_needed);
    }
  }
  row = whole;
  return needed;
}

// The first case of the task with the rows asked for.
std::optional<Data> good_data(const TaskCases& of_task, bool with_shots) {
  for (const Json& test : of_task.cases) {
    if (!test.contains("prompt") || test.contains("style") || test.contains("params") ||
        test.contains("shots") != with_shots)
      continue;
    return Data{of_task.task, Json::array({test.at("row")}), test.value("shots", Json::array())};
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("a row that lacks what its task reads stops the run before the first token") {
  std::size_t tasks = 0;
  for (const TaskCases& of_task : all_task_cases()) {
    std::optional<Data> data = good_data(of_task, false);
    if (!data) data = good_data(of_task, true);
    REQUIRE(data);
    CHECK(check_fields(*data, data->rows.front(), task_of(*data).dataset) >= 1);
    ++tasks;
  }
  CHECK(tasks >= 19);
}

TEST_CASE("a row of the pool that cannot be a shot stops the run before the first token") {
  std::size_t tasks = 0;
  for (const TaskCases& of_task : all_task_cases()) {
    std::optional<Data> data = good_data(of_task, true);
    if (!data) continue;
    const Spec pool = task_of(*data).shot_source.pools.front().dataset;
    CHECK(check_fields(*data, data->shots.front(), pool) >= 1);
    ++tasks;
  }
  CHECK(tasks >= 10);
}

TEST_CASE("an id that comes twice stops the run before the first token") {
  std::size_t tasks = 0;
  for (const TaskCases& of_task : all_task_cases()) {
    const std::optional<Data> good = good_data(of_task, false);
    if (!good) continue;
    const Spec dataset = task_of(*good).dataset;
    if (!dataset.params.contains("unique")) continue;
    INFO(of_task.task);
    Data twice = *good;
    twice.rows.push_back(twice.rows.front());
    const std::string path = dataset.params.at("path"), field = dataset.params.at("unique");
    CHECK(is_refused(twice, "", path + ":2: " + field, ""));
    ++tasks;
  }
  CHECK(tasks >= 5);
}

}  // namespace micius
