#include "core/shots.h"

#include <algorithm>
#include <filesystem>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "core/dataset_file.h"
#include "memory_dataset.h"
#include "temp_dir.h"

namespace micius {
namespace {

MemoryDataset rows(const std::string& name, std::size_t count) {
  std::vector<Sample> samples;
  for (std::size_t i = 0; i < count; ++i) {
    Sample sample{std::to_string(i), name + std::to_string(i), {}, {"x"}, Json::object()};
    sample.extra["text"] = sample.input;
    sample.extra["group"] = i % 2 == 0 ? "even" : "odd";
    samples.push_back(sample);
  }
  return {name, samples};
}

Task task_of(ShotRule rule, int shots) {
  Task task;
  task.name = "t";
  task.shots = shots;
  task.shot_source.rule = rule;
  return task;
}

std::vector<std::string> ids(const std::vector<Sample>& samples) {
  std::vector<std::string> ids;
  for (const Sample& sample : samples) ids.push_back(sample.id);
  return ids;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("shots by the first rows, of the pool or of the sample's group") {
  const MemoryDataset evaluated = rows("e", 3), pool = rows("p", 8);
  ShotPicker first(task_of(ShotRule::kFirst, 2), evaluated, &pool, 1234);
  CHECK(ids(first.shots_for(2)) == Ids{"0", "1"});
  ShotPicker group(task_of(ShotRule::kFirstOfGroup, 2), evaluated, &pool, 1234);
  CHECK(ids(group.shots_for(1)) == Ids{"1", "3"});
  CHECK(ids(group.shots_for(2)) == Ids{"0", "2"});
  ShotPicker many(task_of(ShotRule::kFirstOfGroup, 5), evaluated, &pool, 1234);
  CHECK_THROWS_WITH(many.shots_for(0), Catch::Contains("4 rows of group 'even'"));
  ShotPicker none(task_of(ShotRule::kDraw, 0), evaluated, nullptr, 1234);
  CHECK(none.shots_for(0).empty());
}

TEST_CASE("the first rows besides the sample itself") {
  const MemoryDataset data = rows("e", 4);
  ShotPicker picker(task_of(ShotRule::kFirstExcept, 2), data, &data, 1234);
  CHECK(ids(picker.shots_for(0)) == Ids{"1", "2"});
  CHECK(ids(picker.shots_for(1)) == Ids{"0", "2"});
  CHECK(ids(picker.shots_for(3)) == Ids{"0", "1"});
  CHECK_THROWS_WITH(ShotPicker(task_of(ShotRule::kFirstExcept, 4), data, &data, 1234),
                    Catch::Contains("4 shots need 5 rows, e has 4"));
}

TEST_CASE("drawn shots move on document by document and do not depend on what was asked before") {
  const MemoryDataset evaluated = rows("e", 5), pool = rows("p", 20);
  ShotPicker ascending(task_of(ShotRule::kDraw, 5), evaluated, &pool, 1234);
  CHECK(ids(ascending.shots_for(0)) == Ids{"14", "3", "0", "2", "1"});
  CHECK(ids(ascending.shots_for(1)) == Ids{"2", "3", "11", "7", "0"});
  ShotPicker jump(task_of(ShotRule::kDraw, 5), evaluated, &pool, 1234);
  CHECK(ids(jump.shots_for(4)) == Ids{"16", "15", "7", "2", "14"});
  CHECK(ids(jump.shots_for(1)) == ids(ascending.shots_for(1)));
}

TEST_CASE("a sample is never its own shot") {
  const MemoryDataset data = rows("e", 22);
  PythonRandom random(1234);
  ShotPicker picker(task_of(ShotRule::kDrawExcept, 4), data, &data, 1234);
  std::size_t met = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    Ids expected;
    for (const std::size_t row : random.sample(22, 5)) {
      if (row != i) expected.push_back(std::to_string(row));
    }
    met += expected.size() == 4 ? 1 : 0;
    expected.resize(4);
    CHECK(ids(picker.shots_for(i)) == expected);
  }
  CHECK(met > 0);
}

TEST_CASE("a pool that is full of copies of the sample is drawn from again without them") {
  std::vector<Sample> samples(10);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].id = std::to_string(i);
    samples[i].extra["text"] = i < 7 ? "same" : std::to_string(i);
  }
  const MemoryDataset data("e", samples);
  PythonRandom random(1234);
  const std::vector<std::size_t> first = random.sample(10, 4);
  REQUIRE(std::count_if(first.begin(), first.end(), [](std::size_t i) { return i >= 7; }) < 3);
  Ids expected;
  for (const std::size_t row : random.sample(3, 3)) expected.push_back(std::to_string(row + 7));
  ShotPicker picker(task_of(ShotRule::kDrawExcept, 3), data, &data, 1234);
  CHECK(ids(picker.shots_for(0)) == expected);
  ShotPicker four(task_of(ShotRule::kDrawExcept, 4), data, &data, 1234);
  CHECK_THROWS_WITH(four.shots_for(0), Catch::Contains("has 3 rows besides sample 0"));
}

TEST_CASE("shots are prepared by the task, and a pool that is too small is an error") {
  const MemoryDataset evaluated = rows("e", 1), pool = rows("p", 3);
  Task task = task_of(ShotRule::kFirst, 1);
  task.prepare = [](Sample sample) {
    sample.targets = {"prepared"};
    return sample;
  };
  CHECK(ShotPicker(task, evaluated, &pool, 1234).shots_for(0).front().targets.front() == "prepared");
  task.shots = 4;
  CHECK_THROWS_WITH(ShotPicker(task, evaluated, &pool, 1234),
                    Catch::Contains("4 shots need 4 rows, p has 3"));
}

TEST_CASE("the rows that may become shots") {
  const MemoryDataset evaluated = rows("e", 3), pool = rows("p", 6);
  const auto candidates = [&](ShotRule rule, int shots) {
    Ids seen;
    ShotPicker picker(task_of(rule, shots), evaluated, &pool, 1234);
    picker.for_each_candidate([&](const Sample& shot) { seen.push_back(shot.id); });
    return seen;
  };
  CHECK(candidates(ShotRule::kFirst, 2) == Ids{"0", "1"});
  CHECK(candidates(ShotRule::kFirstOfGroup, 2) == Ids{"0", "2", "1", "3"});
  CHECK(candidates(ShotRule::kFirstExcept, 2).size() == 6);
  CHECK(candidates(ShotRule::kDraw, 2).size() == 6);
  CHECK(candidates(ShotRule::kDrawExcept, 0).empty());
}

TEST_CASE("the pool is the first one whose file is there") {
  const TempDir temporary;
  const std::filesystem::path& root = temporary.path();
  DataRoots roots{root, root};
  const auto spec = [](const char* path) { return Spec{"jsonl", {{"path", path}}}; };
  Task task = task_of(ShotRule::kFirst, 1);
  task.shot_source.pools = {
      {spec("train.jsonl")}, {spec("train.txt")}, {spec("validation.jsonl"), "other examples"}};
  CHECK_THROWS_WITH(choose_shot_pool(task, roots),
                    Catch::Contains("train.jsonl: not found in") && Catch::Contains("micius data list"));
  write_file_atomic(root / "validation.jsonl.gz", "x");
  const auto fallback = choose_shot_pool(task, roots);
  REQUIRE(fallback);
  CHECK(dataset_name(fallback->dataset) == "validation.jsonl");
  CHECK(fallback->note == "shots come from validation.jsonl, since train.jsonl is not there: other examples");
  write_file_atomic(root / "train.txt", "x");
  CHECK(choose_shot_pool(task, roots)->note.empty());
  write_file_atomic(root / "train.jsonl", "x");
  CHECK(choose_shot_pool(task, roots)->note.empty());
  task.shots = 0;
  CHECK_FALSE(choose_shot_pool(task, roots));

  const MemoryDataset pool = rows("general/x/train.jsonl", 1);
  CHECK(shot_pool_label(pool) == "general/x/train.jsonl@000000000000");
}

}  // namespace micius
