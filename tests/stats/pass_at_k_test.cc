#include "stats/pass_at_k.h"

#include <cmath>

#include <catch2/catch.hpp>

namespace micius {

// The first two are lm-eval's own (CPython); the others count the draws.
TEST_CASE("pass@k") {
  CHECK(pass_at_k(64, 10, 8) == Approx(0.7649283965930666).epsilon(1e-14));
  CHECK(pass_at_k(10, 3, 1) == Approx(0.3).epsilon(1e-14));
  CHECK(pass_at_k(1, 0, 1) == 0);
  CHECK(pass_at_k(1, 1, 1) == 1);
  CHECK(pass_at_k(4, 1, 2) == Approx(0.5));  // 3 of 6 pairs
  CHECK(pass_at_k(5, 2, 2) == Approx(0.7));  // 7 of 10 pairs
  CHECK(pass_at_k(5, 2, 4) == 1);
  CHECK(pass_at_k(200, 0, 100) == 0);
}

}  // namespace micius
