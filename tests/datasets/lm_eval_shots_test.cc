// The shots that lm-evaluation-harness drew, where the rule leaves the sample itself out and where it does
// not.
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "core/shots.h"
#include "datasets/registry.h"
#include "shared_files.h"

namespace micius {
namespace {

std::unique_ptr<Dataset> open(const std::string& path) {
  return dataset_registry().get("jsonl")({"jsonl", {{"path", path}}}, {"/nowhere", data_folder()});
}

void check_shots(const std::string& file, const std::string& evaluated, const std::string& pool,
                 ShotRule rule) {
  const auto vectors = vector_folder() / "lm_eval" / (file + ".jsonl");
  for (const auto& path : {vectors, data_folder() / evaluated, data_folder() / pool}) {
    if (std::filesystem::exists(path)) continue;
    WARN("skipped: no " << path.string());
    return;
  }
  const auto documents = open(evaluated), shots = open(pool);
  Task task;
  task.name = file;
  task.shots = 5;
  task.shot_source.rule = rule;
  ShotPicker picker(task, *documents, shots.get(), 1234);
  for_each_line(read_file(vectors), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, fmt::format("{}:{}", file, number));
    const auto doc = row.at("doc").get<std::size_t>();
    std::vector<std::string> expected;
    for (const Json& index : row.at("shots_drawn")) {
      if (rule == ShotRule::kDraw || index != doc) expected.push_back(index.dump());
    }
    expected.resize(5);
    std::vector<std::string> ids;
    for (const Sample& shot : picker.shots_for(doc)) ids.push_back(shot.id);
    INFO(file << " doc " << doc);
    CHECK(ids == expected);
  });
}

}  // namespace

TEST_CASE("lm-eval's draws") {
  const std::string hellaswag = "general/hellaswag/validation_activitynet_subset.jsonl";
  const std::string winogrande = "general/winogrande/validation.jsonl";
  check_shots("gsm8k", "general/gsm8k/test.jsonl", "general/gsm8k/train.jsonl", ShotRule::kDraw);
  check_shots("hellaswag_5shot", hellaswag, hellaswag, ShotRule::kDrawExcept);
  check_shots("winogrande_5shot", winogrande, winogrande, ShotRule::kDrawExcept);
}

}  // namespace micius
