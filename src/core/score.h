// The verdict on one sample.
#pragma once

#include <string>
#include <vector>

namespace micius {

// kNoAnswer (the model gave none) counts as wrong; kUnscored (we could not judge) is left out of every metric
// and shown.
enum class Verdict { kCorrect, kPartial, kIncorrect, kNoAnswer, kUnscored };

struct Value {
  std::string metric;
  double value;  // in [0, 1] unless its metric says otherwise
  bool operator==(const Value&) const = default;
};

struct Score {
  Verdict verdict = Verdict::kUnscored;
  // The task's metrics in its order, the primary one first; a metric that does not apply to the sample is
  // left out. Empty if and only if kUnscored.
  std::vector<Value> values;
  std::string answer;  // what was read out of the completion
  std::string reason;  // one line, for the reader of the report
  bool operator==(const Score&) const = default;
};

}  // namespace micius
