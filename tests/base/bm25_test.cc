#include "base/bm25.h"

#include <array>

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("words are runs of letters and digits in lower case") {
  CHECK(search_words("MI300X: all-reduce, 8 GPUs") ==
        std::vector<std::string>{"mi300x", "all", "reduce", "8", "gpus"});
  CHECK(search_words(" .. ").empty());
}

TEST_CASE("rare words weigh more than common ones, and ties keep their order") {
  const std::array<std::string, 4> documents = {"gpu memory", "gpu power", "gpu power", "fan"};
  const Bm25 index(documents);
  CHECK(index.best("gpu memory", 1) == std::vector<std::size_t>{0});
  CHECK(index.best("POWER of a gpu", 2) == std::vector<std::size_t>{1, 2});
  CHECK(index.best("nothing known", 9) == std::vector<std::size_t>{0, 1, 2, 3});
}

TEST_CASE("a search without documents finds none") { CHECK(Bm25({}).best("gpu", 3).empty()); }

TEST_CASE("the score is the formula's") {
  // N = 2, df = 1: idf = ln(1 + 1.5 / 1.5) = ln 2. Of two documents of equal length the one with the word
  // twice has 2 * 2.2 / (2 + 1.2) = 1.375, and the other word's 1 * 2.2 / 2.2 = 1 comes second.
  const std::array<std::string, 2> documents = {"b c", "a a"};
  CHECK(Bm25(documents).best("a b", 2) == std::vector<std::size_t>{1, 0});
}

}  // namespace micius
