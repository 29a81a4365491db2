#include "core/task_data.h"

#include <filesystem>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "temp_dir.h"

namespace micius {
namespace {

Spec file(const char* path) { return {"jsonl", {{"path", path}}}; }

Task example() {
  Task task;
  task.name = "t";
  task.dataset = file("own.jsonl");
  task.stand_ins = {{file("theirs.jsonl"), ""}, {file("part.jsonl"), "half of it"}};
  return task;
}

}  // namespace

TEST_CASE("a task reads its own file, else the first stand-in that is there") {
  const TempDir folder;
  const DataRoots roots{folder.path(), folder.path()};
  const auto path = [&] {
    return choose_dataset(example(), roots).dataset.params.at("path").get<std::string>();
  };
  CHECK_THROWS_WITH(choose_dataset(example(), roots), Catch::StartsWith("own.jsonl: not found"));
  write_file_atomic(folder.path() / "part.jsonl", "{}\n");
  CHECK(path() == "part.jsonl");
  CHECK(choose_dataset(example(), roots).note ==
        "not the published split: own.jsonl is not there, part.jsonl is read: half of it");
  write_file_atomic(folder.path() / "theirs.jsonl", "{}\n");
  CHECK(path() == "theirs.jsonl");
  CHECK(choose_dataset(example(), roots).note.empty());
  write_file_atomic(folder.path() / "own.jsonl.gz", "{}\n");
  CHECK(path() == "own.jsonl");
}

TEST_CASE("a task without stand-ins keeps its dataset, there or not") {
  Task task = example();
  task.stand_ins.clear();
  CHECK(choose_dataset(task, {}).dataset.params == task.dataset.params);
}

}  // namespace micius
