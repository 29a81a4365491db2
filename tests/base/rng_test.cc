#include "base/rng.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <catch2/catch.hpp>

namespace micius {

TEST_CASE("a stream depends on its name alone") {
  Rng a("1234/sampling/7/0"), b("1234/sampling/7/0"), c("1234/sampling/7/1");
  const auto first = a();
  CHECK(first == b());
  CHECK(first != c());
}

TEST_CASE("below is even and shuffle keeps the elements") {
  Rng rng("even");
  std::vector<int> counts(7);
  for (int i = 0; i < 70'000; ++i) ++counts[rng.below(7)];
  for (const int count : counts) CHECK(std::abs(count - 10'000) < 500);

  std::vector<int> order(50), sorted(50);
  std::iota(order.begin(), order.end(), 0);
  sorted = order;
  rng.shuffle(order);
  CHECK(order != sorted);
  CHECK(std::is_permutation(order.begin(), order.end(), sorted.begin()));
}

}  // namespace micius
