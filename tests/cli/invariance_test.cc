// `run --verify-invariance` on a made-up model.
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/program.h"
#include "engine/tiny_model.h"
#include "temp_dir.h"

namespace micius {
namespace {

constexpr const char* kTask = R"({"micius_task": 1, "name": "letters", "version": 1,
 "dataset": {"loader": "jsonl", "path": "rows.jsonl", "input": "q", "targets": "a", "choices": "c"},
 "prompt": {"context": "a b a b a b a b a b a b a b a b a b a b a b {{input}}", "continuation": " {{choice}}"},
 "scorer": {"name": "choice"}, "metrics": ["acc"]})";

std::string rows() {
  std::string text;
  for (int i = 0; i < 12; ++i) {
    text += R"({"q": ")" + std::string(static_cast<std::size_t>(i % 5), 'a') + std::to_string(i) +
            R"( b a", "c": ["a", "b a", "ab b"], "a": "b a"})" + "\n";
  }
  return text;
}

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t n = 0;
  for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("run --verify-invariance asks three times again and finds every bit equal", "[engine]") {
  const TinyModel model;
  const TempDir dir;
  write_file_atomic(dir.path() / "task.json", kTask);
  write_file_atomic(dir.path() / "rows.jsonl", rows());
  const Outcome outcome = run_micius(
      dir.path(), {}, {"run", "./task.json", "--model", model.path().string(), "--verify-invariance"});
  INFO(outcome.err);
  CHECK(outcome.exit_code == 0);
  CHECK(count(outcome.err, "12 of 12 answers equal bit for bit") == 3);
  CHECK(outcome.out.find("letters") != std::string::npos);
  CHECK(outcome.out.find("forwarded ") != std::string::npos);

  const Outcome report = run_micius(dir.path(), {}, {"report", "latest", "--format", "json"});
  const Json timing = parse_json(report.out, "report")["reports"][0]["timing"];
  CHECK(timing["forwarded_tokens"].get<int>() > 0);
  CHECK(timing["forwarded_tokens"].get<int>() < timing["naive_tokens"].get<int>());
}

TEST_CASE("run --verify-invariance is for models of the engine") {
  const TempDir dir;
  const Outcome outcome =
      run_micius(dir.path(), {}, {"run", "quick", "--model", "reference", "--verify-invariance"});
  CHECK(outcome.exit_code == 2);
  CHECK(outcome.err.find("--verify-invariance: 'reference' is not a model of the built-in engine") !=
        std::string::npos);
}

}  // namespace micius
