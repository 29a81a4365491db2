#include "scorers/infrawise.h"

#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "core/names.h"
#include "source_tree.h"

namespace micius {
namespace {

std::unique_ptr<Scorer> scorer(const Json& params = Json::object()) {
  ScorerContext context;
  context.roots.share = source_tree();
  return scorer_registry().get("infrawise")({"infrawise", params}, context);
}

Sample sample_of(const Json& truth, const Json& matches) {
  Sample sample;
  sample.id = "infrawise-test-single-0000";
  const Json design = {{"Target", truth.at(0)}, {"Baseline", truth.at(1)}};
  sample.extra = {{"dcw", {{"Design", design}, {"Criterion", truth.at(2)}, {"Workload", truth.at(3)}}},
                  {"matches", matches}};
  return sample;
}

std::vector<Turn> turns_of(const Json& texts) {
  std::vector<Turn> turns;
  for (const Json& text : texts) turns.emplace_back().completion.text = text;
  return turns;
}

}  // namespace

TEST_CASE("infrawise scores as the table says") {
  const std::string path = (source_tree() / "tests/scorers/infrawise.jsonl").string();
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, path);
    INFO("line " << number << ": " << row.at("name"));
    const auto judge = scorer(row.contains("mode") ? Json{{"mode", row.at("mode")}} : Json::object());
    const Score score =
        judge->score(sample_of(row.at("truth"), row.at("matches")), turns_of(row.at("turns")));
    INFO(score.answer << " / " << score.reason);
    CHECK(name_of(score.verdict) == row.at("verdict").get<std::string>());
    for (const auto& [metric, wanted] : row.at("values").items()) {
      INFO(metric);
      const auto it = std::find_if(score.values.begin(), score.values.end(),
                                   [&metric = metric](const Value& v) { return v.metric == metric; });
      REQUIRE(it != score.values.end());
      CHECK(it->value == Approx(wanted.get<double>()));
    }
  });
}

TEST_CASE("infrawise says what was read instead of what") {
  const Json truth = {"H100", "A100", "default", "LINPACK"};
  const std::string dcw =
      R"({"Design": {"Target": "H100", "Baseline": "T4"}, "Criterion": "default", "Workload": "LINPACK"})";
  const Score score = scorer({{"mode", "dcw"}})->score(sample_of(truth, {1}), turns_of({dcw}));
  CHECK(score.reason == "Baseline is 'T4' instead of 'A100'");
}

TEST_CASE("infrawise values stand in the order of the task's metrics") {
  const auto names = [](const Score& score) {
    std::string text;
    for (const Value& value : score.values) text += value.metric + " ";
    return text;
  };
  const Json truth = {"H100", "", "default", "LINPACK"};
  CHECK(names(scorer()->score(sample_of(truth, {1}), turns_of({""}))) ==
        "bench_accuracy target baseline criterion workload dcw bench_recall bench_accuracy_not_none bench_f1 "
        "target_words baseline_words criterion_words workload_words ");
  CHECK(names(scorer()->score(sample_of(truth, Json::array()), turns_of({""}))).find("not_none") ==
        std::string::npos);
  CHECK(names(scorer({{"mode", "dcw"}})->score(sample_of(truth, {1}), turns_of({""}))) ==
        "dcw target baseline criterion workload target_words baseline_words criterion_words workload_words ");
  CHECK(names(scorer({{"mode", "oracle"}})->score(sample_of(truth, {1}), turns_of({""}))) ==
        "bench_accuracy bench_recall bench_accuracy_not_none bench_f1 ");
}

TEST_CASE("infrawise leaves the model's own DCW for turn 2") {
  const Sample sample = sample_of({"H100", "", "default", "LINPACK"}, {1});
  const auto observe = [&](const std::string& text) { return scorer()->observe(sample, turns_of({text})); };
  CHECK(
      observe("{'Design': {'Target': 'A100 GPU', 'Baseline': None}}") ==
      R"({"dcw":{"Design":{"Target":"A100 GPU","Baseline":""},"Criterion":"default","Workload":"default"}})");
  CHECK(observe("no idea").empty());
  CHECK(observe("<think>{\"Design\": {}}").empty());
  CHECK(observe("{\"Design\": \"" + std::string(5000, 'x') + "\"}").size() < 400);
  CHECK(scorer({{"mode", "dcw"}})->observe(sample, turns_of({"{\"Design\": {}}"})).empty());
}

TEST_CASE("infrawise searches the pool for the model's own DCW") {
  const auto judge = scorer({{"mode", "retrieved"}});
  Sample sample = sample_of({"H100", "", "default", "LINPACK"}, {1});
  std::vector<Turn> turns = turns_of({R"({"Design": {"Target": "H100"}, "Workload": "LINPACK"})", "2, 0"});
  turns[0].observation = judge->observe(sample, std::span(turns).first(1));
  const Json observation = parse_json(turns[0].observation, "observation");
  REQUIRE(observation.at("found").size() == 10);
  for (std::size_t i = 0; i < 10; ++i) {
    const Json& candidate = observation.at("candidates").at(i);
    CHECK(candidate.at("index") == i);
    CHECK_FALSE(candidate.contains("designs"));
  }
  sample.extra["relevant"] = {observation["found"][0], observation["found"][2], "r-not-found", "r-neither"};
  const Score score = judge->score(sample, turns);
  const auto value = [](const Score& of, const std::string& metric) {
    const auto it =
        std::find_if(of.values.begin(), of.values.end(), [&](const Value& v) { return v.metric == metric; });
    REQUIRE(it != of.values.end());
    return it->value;
  };
  CHECK(value(score, "bench_accuracy") == 1);
  CHECK(value(score, "recall_at_10") == 0.5);

  const Score unread = judge->score(sample, turns_of({"H100, I think"}));
  CHECK(value(unread, "bench_accuracy") == 0);
  CHECK(value(unread, "recall_at_10") == 0);
  CHECK(unread.verdict == Verdict::kNoAnswer);
}

TEST_CASE("infrawise lists the metrics it can give") {
  CHECK(scorer()->metrics().size() == 13);
  CHECK(scorer({{"mode", "dcw"}})->metrics().size() == 9);
  CHECK(scorer({{"mode", "oracle"}})->metrics().size() == 4);
  CHECK(scorer({{"mode", "retrieved"}})->metrics().size() == 14);
}

TEST_CASE("infrawise never throws for what a model wrote") {
  const Sample sample = sample_of({"H100", "A100", "peak performance", "LINPACK"}, {1});
  const std::string big(1 << 20, 'A');
  for (const std::string& text :
       {std::string(1 << 20, '{'), std::string(1 << 20, '['), "{\"Design\":{\"Target\":\"" + big + "\"}}",
        "{\"Design\":{\"Target\":\"" + std::string(5000, '\xff') + "\"}}",
        std::string("\0{\"Design\":{}}", 14)}) {
    CHECK_NOTHROW(scorer()->observe(sample, turns_of({text})));
    const Score score = scorer()->score(sample, turns_of({text, text}));
    CHECK(score.verdict != Verdict::kCorrect);
    CHECK(score.answer.size() + score.reason.size() < 2000);
  }
}

TEST_CASE("infrawise names the modes it knows") {
  CHECK_THROWS_WITH(
      scorer({{"mode", "retrieve"}}),
      "scorer 'infrawise': unknown mode 'retrieve' (did you mean 'retrieved'?); known: end-to-end, "
      "dcw, oracle, retrieved");
  CHECK_THROWS_AS(scorer({{"mod", "dcw"}}), Error);
}

}  // namespace micius
