#include "pipeline/expected.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "source_tree.h"
#include "temp_dir.h"

namespace micius {
namespace {

Expected expected_of(const std::string& text) {
  const TempDir dir;
  write_file_atomic(dir.path() / "expected.json", text);
  return read_expected(dir.path() / "expected.json");
}

}  // namespace

TEST_CASE("floor is the best that knows nothing, ceiling what the references get") {
  const Expected expected = expected_of(
      R"({"micius_expected": 1, "quiz": {"reference": {"acc": [0.9, 1.0]}, "empty": {"acc": [0, 0], "f1": [0, 0]},
          "random": {"acc": [0.1, 0.2]}, "constant": {"acc": [0, 0.15]}, "sibling": {"acc": [0, 0.7]}}})");
  const auto& quiz = expected.at("quiz");
  CHECK(quiz.at("acc").floor == 0.2);
  CHECK(quiz.at("acc").ceiling == 1.0);
  CHECK(quiz.at("f1").floor == 0.0);
  CHECK_FALSE(quiz.at("f1").ceiling);
}

TEST_CASE("a band that is none is named") {
  for (const char* band : {"1", "[1]", "[0, \"1\"]", "[0, 1, 2]"}) {
    const std::string text =
        R"({"micius_expected": 1, "quiz": {"reference": {"acc": )" + std::string(band) + "}}}";
    CHECK_THROWS_WITH(expected_of(text),
                      Catch::Contains("field 'reference': field 'acc' must be two numbers"));
  }
  CHECK_THROWS_WITH(expected_of("{}"), Catch::Contains("micius_expected"));
}

TEST_CASE("the project's own file has floor and ceiling of every suite's primary") {
  const Expected expected = read_expected(source_tree() / "datasets/aimicius/expected.json");
  for (const auto& [task, metric] :
       {std::pair{"cmdgen", "accuracy"}, {"infrawise", "bench_accuracy"}, {"optiflow", "plan_improved"}}) {
    const Reach& reach = expected.at(task).at(metric);
    CHECK(reach.floor.value() < 0.25);
    CHECK(reach.ceiling == 1.0);
  }
}

}  // namespace micius
