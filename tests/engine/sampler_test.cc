#include "engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "engine/test_model.h"

namespace micius {
namespace {

TEST_CASE("Sampling probabilities equal the vectors", "[sampler]") {
  const auto path = shared_path("vectors/engine/sampling.json");
  if (!path) return;
  const Json vectors = parse_json(read_file(*path), "sampling.json");
  for (const Json& row : vectors["cases"]) {
    const std::vector<float> logits = vectors["logits"][row["logits"].get<std::string>()];
    SamplingOptions options;
    options.temperature = row.value("temperature", 1.0);
    options.top_k = row.value("top_k", 0);
    options.top_p = row.value("top_p", 1.0);
    options.min_p = row.value("min_p", 0.0);
    INFO(dump_json(row));
    std::vector<Candidate> kept = sampling_candidates(logits, options);
    CHECK(kept.size() == row["kept"].get<std::size_t>());
    std::map<TokenId, double> by_id;
    for (const Candidate& candidate : kept) by_id[candidate.id] = candidate.probability;
    for (std::size_t i = 0; i < row["ids"].size(); ++i) {
      REQUIRE(by_id.count(row["ids"][i]) == 1);
      CHECK(std::abs(by_id[row["ids"][i]] - row["probs"][i].get<double>()) < 1e-6);
    }
  }
}

TEST_CASE("A nucleus is the same whether the vocabulary is sorted or not", "[sampler]") {
  Rng rng("sampler test");
  std::vector<float> logits(5000);
  for (const double top_p : {0.05, 0.5, 0.9, 0.999}) {
    for (float& logit : logits) logit = static_cast<float>(12 * rng.uniform());
    const std::vector<Candidate> all = sampling_candidates(logits, {1, 0, 1, 0});
    std::vector<double> sorted;
    for (const Candidate& candidate : all) sorted.push_back(candidate.probability);
    std::sort(sorted.begin(), sorted.end());
    double tail = 0;
    std::size_t dropped = 0;
    while (dropped + 1 < sorted.size() && (tail += sorted[dropped]) <= 1 - top_p) ++dropped;
    CHECK(sampling_candidates(logits, {1, 0, top_p, 0}).size() == sorted.size() - dropped);
  }
}

TEST_CASE("Logits that are no numbers leave nothing to draw", "[sampler]") {
  const float nan = std::numeric_limits<float>::quiet_NaN(),
              infinite = std::numeric_limits<float>::infinity();
  Rng rng("nothing");
  for (const std::vector<float>& logits :
       {std::vector<float>{}, {nan, nan}, {-infinite, -infinite}, {1.0F, infinite}}) {
    const SamplingOptions options{0.7, 0, 0.9, 0.1};
    CHECK(sampling_candidates(logits, options).empty());
    CHECK(sample_token(logits, options, rng) == (logits.size() == 2 && logits[0] == 1.0F ? 1 : 0));
  }
}

TEST_CASE("Draws follow the probabilities and their stream alone", "[sampler]") {
  const std::vector<float> logits = {0.0F, 1.0F, 2.0F, -50.0F};
  const SamplingOptions options{1, 0, 1, 0};
  Rng rng("a"), same("a");
  std::vector<int> counts(4);
  for (int i = 0; i < 20000; ++i) {
    const TokenId id = sample_token(logits, options, rng);
    REQUIRE(id == sample_token(logits, options, same));
    ++counts[id];
  }
  const double sum = 1 + std::exp(1.0) + std::exp(2.0);
  for (int id = 0; id < 3; ++id) CHECK(std::abs(counts[id] / 20000.0 - std::exp(id) / sum) < 0.015);
  CHECK(counts[3] == 0);
}

TEST_CASE("Temperature 0 takes the lowest id of the largest", "[sampler]") {
  const std::vector<float> logits = {1.0F, 3.0F, 3.0F};
  Rng rng("b");
  CHECK(sample_token(logits, {0, 1, 0.5, 0.5}, rng) == 1);
}

}  // namespace
}  // namespace micius
