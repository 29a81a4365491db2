// The verdicts of lm-evaluation-harness on its own log-likelihoods.
#include <cmath>
#include <string>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "scorers/registry.h"
#include "shared_files.h"

namespace micius {

TEST_CASE("choice gives lm-eval's acc and acc_norm") {
  const auto scorer = scorer_registry().get("choice")({"choice", Json::object()}, {});
  for (const std::string task :
       {"arc_easy", "arc_challenge", "openbookqa", "arc_easy_5shot", "arc_easy_chat"}) {
    const auto path = vector_folder() / "lm_eval" / (task + ".jsonl");
    if (!std::filesystem::exists(path)) {
      WARN("skipped: no " << path.string());
      return;
    }
    std::size_t documents = 0;
    for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
      const Json row = parse_json(line, fmt::format("{}:{}", task, number));
      Sample sample;
      std::vector<Turn> turns(1);
      for (const Json& request : row.at("requests")) {
        const auto continuation = request.at("continuation").get<std::string>();
        sample.choices.push_back(task == "arc_easy_chat" ? continuation : continuation.substr(1));
        turns[0].completion.likelihoods.push_back(
            {request.at("ll"), request.at("n_cont"), request.at("greedy")});
      }
      sample.extra["gold"] = row.at("gold");
      const Score score = scorer->score(sample, turns);
      INFO(task << " doc " << row.at("doc"));
      const std::vector<Value> expected = {{"acc_norm", row.at("acc_norm")}, {"acc", row.at("acc")}};
      CHECK(score.values == expected);
      CHECK(score.answer == sample.choices[row.at("pred_norm").get<std::size_t>()]);
      ++documents;
    });
    CHECK(documents >= 40);
  }
}

TEST_CASE("continuation gives lm-eval's acc and log-likelihood on LAMBADA") {
  const auto path = vector_folder() / "lm_eval/lambada_openai.jsonl";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: no " << path.string());
    return;
  }
  const auto scorer = scorer_registry().get("continuation")({"continuation", Json::object()}, {});
  double sum = 0;
  std::size_t documents = 0;
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const Json row = parse_json(line, fmt::format("lambada_openai:{}", number));
    const Json& request = row.at("requests").at(0);
    Sample sample;
    sample.targets = {request.at("continuation")};
    std::vector<Turn> turns(1);
    turns[0].completion.likelihoods = {{request.at("ll"), request.at("n_cont"), request.at("greedy")}};
    const std::vector<Value> expected = {{"acc", row.at("acc")}, {"logprob", row.at("perplexity")}};
    const Score score = scorer->score(sample, turns);
    CHECK(score.values == expected);
    sum += score.values.at(1).value;
    ++documents;
  });
  CHECK(documents == 60);
  CHECK(std::exp(-sum / 60) == Approx(58.7552).epsilon(1e-5));  // the reference's perplexity
}

}  // namespace micius
