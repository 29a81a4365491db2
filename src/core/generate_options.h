// How text is generated. All of it is part of a run's spec.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace micius {

struct GenerateOptions {
  int max_tokens = 256;
  double temperature = 0;         // 0: greedy, and the three below do nothing
  int top_k = 0;                  // 0: off
  double top_p = 1;               // 1: off
  double min_p = 0;               // 0: off
  std::vector<std::string> stop;  // text is cut before the first of them to appear
  std::uint64_t seed = 1234;      // of the run
  std::string stream;             // names the random stream of one request: "<sample id>/<repeat>/<turn>"
  bool operator==(const GenerateOptions&) const = default;
};

}  // namespace micius
