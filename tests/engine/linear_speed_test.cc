// The bench of linear layers: that it measures every matrix in every repeat.
#include "engine/linear_speed.h"

#include <algorithm>

#include <catch2/catch.hpp>

namespace micius {
namespace {

TEST_CASE("the bench of linear layers measures every matrix in every repeat", "[linear_speed]") {
  for (const DType dtype : {DType::kQ4_1, DType::kQ8_0, DType::kBF16}) {
    // The second has fewer rows than are random, the third no whole number of them.
    LinearBench bench({{96, 64}, {8, 32}, {50, 128}}, dtype, 2, best_isa(), 1 << 18);
    const std::vector<std::vector<double>> seconds = bench.run(3);
    REQUIRE(seconds.size() == 3);
    for (const std::vector<double>& repeats : seconds) {
      CHECK(repeats.size() == 3);
      CHECK(std::all_of(repeats.begin(), repeats.end(), [](double value) { return value > 0; }));
    }
  }
}

}  // namespace
}  // namespace micius
