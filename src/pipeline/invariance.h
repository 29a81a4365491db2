// A run's stored prompts, asked again of another set-up of its model: not a bit of an answer may differ.
#pragma once

#include <cstddef>
#include <stop_token>
#include <string>
#include <vector>

#include "core/runner.h"
#include "core/store.h"

namespace micius {

enum class AskOrder { kAsStored, kBackwards, kShuffled };

// One answer that came out otherwise.
struct Difference {
  std::string sample_id;
  int repeat = 0;
  std::size_t turn = 0;
  std::string what;  // "choice 2: -1.25 before, -1.2500001 now"
};

struct AskedAgain {
  std::size_t answers = 0, equal = 0;   // compared, and of these without a difference
  std::size_t failed = 0;               // stored as failures: not asked
  std::vector<Difference> differences;  // the first few
  bool interrupted = false;             // by `stop`; the counts are of what was compared until then
};

// Texts, log-likelihoods, counts of tokens and stop reasons are compared exactly. Holds some hundred answers
// at a time. `order` is how those are handed to the runner.
AskedAgain ask_again(const Store& store, RunId run, Runner& runner, AskOrder order, std::stop_token stop);

}  // namespace micius
