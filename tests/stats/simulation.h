// Do intervals cover and tests err as often as they promise? Seeded: same rounds, same table.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace micius {

struct Simulated {
  std::string what, setting;
  double share = 0;          // of the rounds, or exact
  double error = 0;          // its standard error; 0 where it is exact
  double low = 0, high = 1;  // what theory promises
};

// How often each 95 % interval holds the true value.
std::vector<Simulated> simulated_coverage(std::size_t rounds);
// How often each test at level 0.05 finds what is not there, and the power of the sample sizes.
std::vector<Simulated> simulated_errors(std::size_t rounds);

}  // namespace micius
