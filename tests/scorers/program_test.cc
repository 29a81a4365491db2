// Programs against their tests, in the true sandbox.
#include "scorers/program.h"

#include <chrono>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "core/names.h"
#include "sandbox/open_sandbox.h"
#include "scorers/lent_services.h"
#include "shared_files.h"
#include "source_tree.h"

namespace micius {
namespace {

Score judge(const Scorer& scorer, const Sample& sample, const std::string& text) {
  std::vector<Turn> turns(1);
  turns[0].completion.text = text;
  turns[0].observation = scorer.observe(sample, turns);
  return scorer.score(sample, turns);
}

std::unique_ptr<Scorer> scorer(const Json& params, Services* services) {
  ScorerContext context;
  context.services = services;
  return make_program_scorer({"program", params}, context);
}

// How many of the canonical solutions pass.
struct Passed {
  std::size_t programs = 0, passed = 0;
  std::size_t late = 0;  // ran out of their 3 seconds
};

Passed canonical(const std::string& folder, const Json& params, Services& services,
                 const std::function<std::string(const Json& row, Sample& sample)>& prepare) {
  const auto program = scorer(params, &services);
  Passed result;
  const auto start = std::chrono::steady_clock::now();
  for_each_line(read_file(data_folder() / "general" / folder / "test.jsonl"),
                [&](std::string_view line, std::size_t number) {
                  if (line.empty()) return;
                  Sample sample;
                  sample.extra = parse_json(line, fmt::format("{}:{}", folder, number));
                  const std::string text = prepare(sample.extra, sample);
                  const Score score = judge(*program, sample, text);
                  INFO(folder << " " << number << ": " << score.reason);
                  const bool late = score.reason.starts_with("it ran longer");
                  CHECK((late || score.verdict == Verdict::kCorrect));
                  result.late += late ? 1 : 0;
                  ++result.programs;
                  result.passed += score.verdict == Verdict::kCorrect ? 1 : 0;
                });
  const std::chrono::duration<double> time = std::chrono::steady_clock::now() - start;
  WARN(fmt::format("{}: {} of {} canonical solutions pass, {:.0f} a second", folder, result.passed,
                   result.programs, static_cast<double>(result.programs) / time.count()));
  return result;
}

}  // namespace

TEST_CASE("programs, by cases") {
  const SandboxOffer offer = open_test_sandbox(1);
  if (!offer.sandbox) {
    WARN("skipped: " << offer.why_not);
    return;
  }
  Lent services(offer.sandbox.get(), "");
  std::size_t cases = 0;
  for_each_line(read_file(source_tree() / "tests/scorers/program.jsonl"), [&](std::string_view line,
                                                                              std::size_t number) {
    const Json json = parse_json(line, fmt::format("program.jsonl:{}", number));
    const JsonFields test(json, fmt::format("program.jsonl:{}", number));
    INFO(test.string("name"));
    Sample sample;
    sample.extra["prompt"] = test.string_or("prompt", "");
    sample.targets = {test.string("tests")};
    const Score score = judge(*scorer(test.at("params"), &services), sample, test.string("text"));
    CHECK(name_of(score.verdict) == test.string("verdict"));
    CHECK(score.answer == test.string_or("answer", score.answer));
    CHECK(score.reason == test.string("reason"));
    const std::vector<Value> expected = {{"pass@1", test.string("verdict") == "correct" ? 1. : 0.}};
    CHECK(score.values == expected);
    ++cases;
  });
  CHECK(cases > 20);
}

TEST_CASE("without a sandbox a program is not scored") {
  Lent services(nullptr, "bubblewrap is not there");
  Sample sample;
  sample.targets = {""};
  const Score score = judge(*scorer(Json::object(), &services), sample, "pass");
  CHECK(score.verdict == Verdict::kUnscored);
  CHECK(score.values.empty());
  CHECK(score.reason == "bubblewrap is not there");
  CHECK(judge(*scorer(Json::object(), nullptr), sample, "pass").reason == "no sandbox to run the program in");
  CHECK(judge(*scorer(Json::object(), nullptr), sample, " \n").verdict == Verdict::kNoAnswer);
}

TEST_CASE("a candidate that is none is refused") {
  CHECK_THROWS_WITH(
      scorer({{"candidate", "promt"}}, nullptr),
      Catch::StartsWith("scorer 'program': unknown candidate 'promt' (did you mean 'prompt'?)"));
}

TEST_CASE("programs of a model are judged as by lm-eval") {
  const SandboxOffer offer = open_test_sandbox(1);
  if (!offer.sandbox || !std::filesystem::exists(vector_folder() / "lm_eval/mbpp.jsonl")) {
    WARN("skipped: " << (offer.sandbox ? "no lm_eval/mbpp.jsonl among the vectors" : offer.why_not));
    return;
  }
  Lent services(offer.sandbox.get(), "");
  for_each_line(
      read_file(vector_folder() / "lm_eval/mbpp.jsonl"), [&](std::string_view line, std::size_t number) {
        const Json row = parse_json(line, fmt::format("mbpp.jsonl:{}", number));
        Sample sample;
        sample.targets = {row.at("target")};
        const Score score = judge(*scorer(Json::object(), &services), sample, row.at("text_after_stops"));
        CHECK(score.answer == row.at("filters").at("none").at("answer"));
        CHECK(score.values.front().value == row.at("filters").at("none").at("pass_at_1"));
      });
}

TEST_CASE("canonical solutions pass their tests", "[.slow]") {
  const SandboxOffer offer = open_test_sandbox(1);
  if (!offer.sandbox || !std::filesystem::exists(data_folder() / "general/mbpp/test.jsonl")) {
    WARN("skipped: " << (offer.sandbox ? "no general/mbpp/test.jsonl" : offer.why_not));
    return;
  }
  Lent services(offer.sandbox.get(), "");
  const Passed humaneval =
      canonical("humaneval", {{"candidate", "prompt"}}, services, [](const Json& row, Sample& s) {
        s.targets = {row.at("test").get<std::string>() + "\ncheck(" +
                     row.at("entry_point").get<std::string>() + ")"};
        return row.at("canonical_solution").get<std::string>();
      });
  CHECK(humaneval.programs == 164);
  CHECK(humaneval.late == 0);
  const Passed mbpp = canonical("mbpp", Json::object(), services, [](const Json& row, Sample& s) {
    // One of them needs its test_setup_code, which lm-eval does not run.
    s.targets = {row.at("test_setup_code").get<std::string>() + "\n" +
                 join(row.at("test_list").get<std::vector<std::string>>(), "\n")};
    return row.at("code").get<std::string>();
  });
  CHECK(mbpp.programs == 500);
  CHECK(mbpp.late <= 1);  // the sum of amicable numbers takes 2 seconds of an idle CPU
}

}  // namespace micius
