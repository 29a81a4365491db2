// Each tests/scorers/<scorer>.jsonl against its scorer, one case a line: "params", "sample", "text" or
// "logprobs" (with "tokens", "greedy") of one turn, then "verdict", "values", "answer" and perhaps "reason";
// or the "error" that the factory gives.
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "core/names.h"
#include "scorers/registry.h"
#include "source_tree.h"

namespace micius {
namespace {

double number(const Json& json) {
  if (json == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (json == "-inf") return -std::numeric_limits<double>::infinity();
  return json.get<double>();
}

Turn turn_of(const JsonFields& test) {
  Turn turn;
  if (test.has("text")) turn.completion.text = test.string("text");
  if (test.has("logprobs")) {
    for (const Json& logprob : test.at("logprobs"))
      turn.completion.likelihoods.push_back({number(logprob), 1, false});
    for (std::size_t i = 0; test.has("tokens") && i < turn.completion.likelihoods.size(); ++i)
      turn.completion.likelihoods[i].tokens = test.at("tokens").at(i);
    for (std::size_t i = 0; test.has("greedy") && i < turn.completion.likelihoods.size(); ++i)
      turn.completion.likelihoods[i].greedy = test.at("greedy").at(i);
  }
  return turn;
}

void check_case(const std::string& scorer, const JsonFields& test) {
  INFO(scorer << ": " << test.string("name"));
  const ScorerFactory factory = scorer_registry().get(scorer);
  const Spec spec{scorer, test.at("params")};
  if (test.has("error")) {
    CHECK_THROWS_WITH(factory(spec, {}), Catch::StartsWith(test.string("error")));
    return;
  }
  const JsonFields fields = test.object("sample");
  Sample sample;
  sample.id = "s";
  sample.input = fields.string_or("input", "");
  sample.choices = fields.strings_or("choices", {});
  sample.targets = fields.strings_or("targets", {});
  if (fields.has("extra")) sample.extra = fields.at("extra");
  const std::vector<Turn> turns = {turn_of(test)};
  const Score score = factory(spec, {})->score(sample, turns);
  CHECK(name_of(score.verdict) == test.string("verdict"));
  Json values = Json::object();
  for (const Value& value : score.values) values[value.metric] = value.value;
  CHECK(values == test.at("values"));
  CHECK(score.answer == test.string("answer"));
  if (test.has("reason")) CHECK(score.reason == test.string("reason"));
}

}  // namespace

TEST_CASE("scorers, by cases") {
  const std::filesystem::path folder = source_tree() / "tests/scorers";
  for (const std::string scorer :
       {"choice", "continuation", "exact", "exact_match", "letter", "math", "verbatim"}) {
    std::size_t cases = 0;
    for_each_line(read_file(folder / (scorer + ".jsonl")), [&](std::string_view line, std::size_t number) {
      const Json json = parse_json(line, fmt::format("{}.jsonl:{}", scorer, number));
      check_case(scorer, JsonFields(json, fmt::format("{}.jsonl:{}", scorer, number)));
      ++cases;
    });
    CHECK(cases > 4);
  }
}

TEST_CASE("a scorer's errors name the place that asked for it") {
  const Spec spec{"exact", {{"strp", true}}};
  CHECK_THROWS_WITH(scorer_registry().get("exact")(spec, {{}, "x.json:3"}),
                    "x.json:3: scorer 'exact': unknown field 'strp' (did you mean 'strip'?)");
  CHECK_THROWS_WITH(scorer_registry().get("exakt", "x.json:3"),
                    Catch::StartsWith("x.json:3: unknown scorer 'exakt' (did you mean 'exact'?)"));
}

TEST_CASE("text that is not UTF-8 does not trouble a scorer") {
  Sample sample;
  sample.targets = {"a"};
  std::vector<Turn> turns(1);
  turns[0].completion.text = "\xff\xc3";
  const Spec spec{"exact", {{"ignore_case", true}, {"ignore_punctuation", true}}};
  CHECK(scorer_registry().get("exact")(spec, {})->score(sample, turns).verdict == Verdict::kIncorrect);
}

}  // namespace micius
