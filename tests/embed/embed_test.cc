#include <algorithm>
#include <thread>

#include <catch2/catch.hpp>

#include "embed/engine_embedder.h"
#include "embed/vector_cache.h"
#include "engine/tiny_encoder.h"

namespace micius {
namespace {

using Texts = std::vector<std::string>;

TEST_CASE("The cache keeps what was used last") {
  VectorCache cache(3 * (160 + 1 + 4));
  for (const char* text : {"a", "b", "c"}) cache.put(text, {static_cast<float>(*text)});
  REQUIRE(cache.find("a") != nullptr);
  CHECK(*cache.find("a") == std::vector<float>{'a'});
  cache.put("d", {'d'});
  CHECK(cache.size() == 3);
  CHECK(cache.find("b") == nullptr);
  CHECK(cache.find("a") != nullptr);
  cache.put(std::string(1000, 'x'), {});
  CHECK(cache.find(std::string(1000, 'x')) == nullptr);
  CHECK(cache.size() == 0);
}

TEST_CASE("A text that is there is not stored twice") {
  VectorCache cache(1000);
  cache.put("a", {1});
  cache.put("a", {2});
  CHECK(cache.size() == 1);
  CHECK(*cache.find("a") == std::vector<float>{1});
}

TEST_CASE("An embedder says what it is") {
  const TinyEncoder tiny;
  const EngineEmbedder embedder(tiny.folder(), {});
  CHECK(embedder.dim() == 32);
  CHECK(embedder.max_tokens() == 6);
  CHECK(embedder.count_tokens("a bc 12345678") == 4);
  CHECK_THAT(embedder.identity(), Catch::Matches("micius-encoder-[0-9-]+@[0-9a-f]{64}"));
}

TEST_CASE("Vectors are the same with and without a cache, alone and together, in any order") {
  const TinyEncoder tiny;
  EngineEmbedder cached(tiny.folder(), {}), bare(tiny.folder(), {}, 0);
  const Texts texts = {"a b c", "", "a b c", "x 1 2 3 4 5 6 7 8 9", "hello", "a b c"};
  const std::vector<float> rows = bare.embed(texts);
  REQUIRE(rows.size() == texts.size() * 32);
  CHECK(cached.embed(texts) == rows);
  CHECK(cached.embed(texts) == rows);
  for (std::size_t i = 0; i < texts.size(); ++i) {
    CHECK(bare.embed({&texts[i], 1}) == std::vector<float>(&rows[i * 32], &rows[i * 32] + 32));
  }
  CHECK(cached.embed({}).empty());
}

TEST_CASE("Several threads are served at once") {
  const TinyEncoder tiny;
  EngineEmbedder embedder(tiny.folder(), {std::nullopt, 2, 64}, 20'000), alone(tiny.folder(), {}, 0);
  Texts texts;
  for (int i = 0; i < 200; ++i)
    texts.push_back(std::string(1, static_cast<char>('a' + i % 26)) + " " + std::to_string(i % 67));
  const std::vector<float> expected = alone.embed(texts);
  std::vector<std::thread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < texts.size(); ++i) {
        const std::size_t row = (i * 7 + t * 50) % texts.size();
        const std::vector<float> vector = embedder.embed({&texts[row], 1});
        wrong[t] += std::equal(vector.begin(), vector.end(), &expected[row * 32]) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(wrong == std::vector<int>(4));
}

}  // namespace
}  // namespace micius
