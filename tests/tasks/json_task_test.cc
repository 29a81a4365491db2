#include "tasks/json_task.h"

#include <memory>
#include <optional>
#include <utility>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "core/names.h"
#include "core/record_json.h"
#include "core/shots.h"
#include "datasets/registry.h"
#include "mutate.h"
#include "scorers/registry.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

TaskFileNames registries() {
  TaskFileNames names;
  names.loaders = dataset_registry().names();
  names.scorer_metrics = [](const Spec& spec, const std::string& where) {
    return scorer_registry().get(spec.name, where)(spec, {{}, where})->metrics();
  };
  return names;
}

TaskOptions options_of(const JsonFields& test) {
  TaskOptions options;
  if (test.has("shots")) options.shots = static_cast<int>(test.integer("shots"));
  if (test.has("style")) options.style = prompt_style_from(test.string("style"));
  options.system = test.string_or("system", "");
  return options;
}

// The task, and the sample and prompt of one row, as a run makes them: all rows are prepared.
struct Made {
  Task task;
  Sample sample;
  Prompt prompt;
};

Made make(const fs::path& file, const TaskOptions& options, std::size_t index) {
  Made made{read_task_file(file, options, registries()), {}, {}};
  const auto dataset = dataset_registry().get(made.task.dataset.name)(made.task.dataset, {});
  for (std::size_t i = 0; i < dataset->size(); ++i) made.task.prepare(dataset->at(i));
  const auto pool = choose_shot_pool(made.task, {});
  ShotPicker picker(made.task, *dataset, pool ? dataset.get() : nullptr, 1234);
  made.sample = made.task.prepare(dataset->at(index));
  made.prompt = *made.task.next(made.sample, picker.shots_for(index), {});
  return made;
}

void check_case(const JsonFields& test, const fs::path& folder) {
  INFO(test.string("name"));
  const fs::path file = folder / "task.json";
  write_file_atomic(file, test.string("file"));
  std::string rows;
  for (const Json& row : test.at("rows")) rows += dump_json(row) + "\n";
  write_file_atomic(folder / "rows.jsonl", rows);
  const TaskOptions options = options_of(test);
  if (test.has("error")) {
    const std::string expected = replace_all(test.string("error"), "FILE", file.string());
    CHECK_THROWS_WITH(make(file, options, 0),
                      Catch::StartsWith(replace_all(expected, "DIR", folder.string())));
    return;
  }
  const Made made = make(file, options, static_cast<std::size_t>(test.integer("sample")));
  CHECK(dump_json(to_json(made.prompt)) == dump_json(test.at("prompt")));
  const std::string reference = made.task.reference ? made.task.reference(made.sample, std::vector<Turn>(0))
                                                    : made.sample.targets.front();
  if (test.has("reference")) CHECK(reference == test.string("reference"));
  if (test.has("gold")) CHECK(made.sample.extra.at("gold") == test.at("gold"));
  CHECK(to_json(made.task.prepare(made.sample)) == to_json(made.sample));
  const std::vector<Turn> turns(1);
  CHECK_FALSE(made.task.next(made.sample, {}, turns));
}

const char* const kTask = R"({"micius_task": 1, "name": "t", "version": 3,
 "dataset": {"loader": "jsonl", "path": "rows.jsonl", "id": "id", "input": "q", "targets": "a"},
 "prompt": {"system": "s", "user": "{{input}} {{n}}", "assistant_prefix": "p"},
 "shots": {"n": 1, "from": "first"},
 "generate": {"max_tokens": 8, "stop": ["\n"], "temperature": 0.5, "top_k": 4, "top_p": 0.9, "min_p": 0.1},
 "scorer": {"name": "exact", "strip": false},
 "metrics": ["acc"]})";
const char* const kRows =
    "{\"id\": 1, \"q\": \"x\", \"a\": \"y\", \"n\": 1}\n{\"id\": 2, \"q\": \"z\", \"a\": \"w\", \"n\": 2}\n";

}  // namespace

TEST_CASE("task files, by cases") {
  const TempDir folder;
  std::size_t cases = 0;
  const std::string text = read_file(source_tree() / "tests/tasks/json_task.jsonl");
  for_each_line(text, [&](std::string_view line, std::size_t number) {
    const Json json = parse_json(line, fmt::format("json_task.jsonl:{}", number));
    check_case(JsonFields(json, fmt::format("json_task.jsonl:{}", number)), folder.path());
    ++cases;
  });
  CHECK(cases > 50);
}

TEST_CASE("a task file gives the options, the metrics and what is part of the spec") {
  const TempDir folder;
  write_file_atomic(folder.path() / "rows.jsonl", kRows);
  const Task task = parse_task_file(kTask, folder.path() / "t.json", {}, registries());
  CHECK(task.version == 3);
  CHECK(task.suite == "user");
  CHECK(task.shots == 1);
  CHECK(task.options.max_tokens == 8);
  CHECK(task.options.temperature == 0.5);
  CHECK(task.options.top_k == 4);
  CHECK(task.options.top_p == 0.9);
  CHECK(task.options.min_p == 0.1);
  CHECK(task.options.stop == std::vector<std::string>{"\n"});
  REQUIRE(task.metrics.size() == 1);
  CHECK(task.metrics[0].name == "acc");
  CHECK(dump_json(task.params).find(folder.path().string()) == std::string::npos);
  const std::string changed = replace_all(kTask, "\"s\"", "\"another\"");
  const Task other = parse_task_file(changed, folder.path() / "t.json", {}, registries());
  CHECK(other.params != task.params);
  CHECK_THROWS_WITH(read_task_file(folder.path() / "no.json", {}, registries()), Catch::Contains("no.json"));
}

TEST_CASE("mutated task files are read or refused") {
  const TempDir folder;
  const fs::path file = folder.path() / "task.json";
  write_file_atomic(folder.path() / "rows.jsonl", kRows);
  Rng rng("json_task_test");
  std::size_t read = 0, refused = 0;
  for (int round = 0; round < 1500; ++round) {
    const std::string text = mutate(kTask, rng);
    write_file_atomic(file, text);
    try {
      make(file, {}, 0);
      ++read;
    } catch (const Error& error) {
      INFO(text);
      CHECK_THAT(error.what(), Catch::Contains(folder.path().string()) || Catch::Contains("shots need"));
      ++refused;
    }
  }
  CHECK(read > 15);
  CHECK(refused > 500);
}

}  // namespace micius
