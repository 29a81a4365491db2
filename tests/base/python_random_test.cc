#include "base/python_random.h"

#include <filesystem>
#include <string>
#include <tuple>
#include <vector>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "shared_files.h"

namespace micius {

TEST_CASE("PythonRandom gives CPython's numbers") {
  PythonRandom random(1234);
  for (const std::uint32_t expected : {4150886329u, 3342196574u, 1892932127u, 501869158u})
    CHECK(random.bits(32) == expected);
  PythonRandom uniform(1234);
  CHECK(uniform.uniform() == 0.9664535356921388);
  CHECK(uniform.uniform() == 0.4407325991753527);
}

TEST_CASE("PythonRandom takes seeds of 64 bits") {
  PythonRandom random(0x123456789abcdef0u);  // two words of the key
  CHECK(random.bits(32) == 3646699384u);
  CHECK(random.bits(32) == 2523371432u);
}

TEST_CASE("PythonRandom draws samples as CPython does, row by row") {
  PythonRandom random(1234);
  CHECK(random.sample(7473, 5) == std::vector<std::size_t>{6374, 3610, 957, 61, 742});
  CHECK(random.sample(7473, 5) == std::vector<std::size_t>{7462, 6610, 4769, 286, 5501});
  CHECK(random.sample(3, 0).empty());

  const auto path = vector_folder() / "general" / "rng_vectors.json";
  if (!std::filesystem::exists(path)) {
    WARN("skipped: no " << path.string());
    return;
  }
  // (rows of the pool, drawn at once) of the vectors that draw from 1234.
  const std::vector<std::tuple<std::string, std::size_t, std::size_t>> draws = {
      {"gsm8k_5", 7473, 5},
      {"arc_challenge_25", 1119, 25},
      {"arc_easy_5", 2251, 5},
      {"hellaswag_10_plus1", 39905, 11},
      {"winogrande_xl_5_plus1", 40398, 6},
      {"boolq_5_plus1", 9427, 6},
      {"piqa_5_plus1", 16113, 6},
      {"pool20_k5", 20, 5},
      {"pool21_k5", 21, 5},
      {"pool22_k5", 22, 5},
      {"pool85_k6", 85, 6},
      {"pool86_k6", 86, 6}};
  const Json vectors = parse_json(read_file(path), "rng_vectors.json");
  for (const auto& [name, population, count] : draws) {
    INFO(name);
    PythonRandom stream(1234);
    for (const Json& row : vectors.at(name))
      CHECK(stream.sample(population, count) == row.get<std::vector<std::size_t>>());
  }
  PythonRandom words(1234);
  for (const Json& word : vectors.at("getrandbits32_seed1234")) CHECK(words.bits(32) == word);
  PythonRandom uniform(1234);
  for (const Json& value : vectors.at("random_seed1234"))
    CHECK(uniform.uniform() == std::stod(value.get<std::string>()));
  PythonRandom zero(0);  // random.choices(range(10), k=10)
  for (const Json& row : vectors.at("choices_seed0_n10"))
    for (const Json& choice : row) CHECK(static_cast<std::size_t>(zero.uniform() * 10) == choice);
}

}  // namespace micius
