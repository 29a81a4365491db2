#include "core/ending.h"

#include <algorithm>

#include "base/text.h"
#include "core/thinking.h"

namespace micius {
namespace {

template <typename Test>
bool any_completion(const Record& record, Test test) {
  return std::any_of(record.turns.begin(), record.turns.end(),
                     [&](const Turn& turn) { return test(turn.completion); });
}

bool has_stopped(const Record& record, StopReason reason) {
  return any_completion(record, [&](const Completion& c) { return c.stop_reason == reason; });
}

bool is_empty(const Record& record) {
  return !any_completion(record,
                         [](const Completion& c) { return !c.text.empty() || !c.likelihoods.empty(); });
}

bool is_thinking(const Record& record) {  // and nothing else
  return any_completion(record, [](const Completion& c) {
    return !strip(c.text).empty() && strip(after_thinking(c.text).value_or("")).empty();
  });
}

}  // namespace

Ending ending_of(const Record& record) {
  Ending ending;
  if (record.failure || record.score.verdict == Verdict::kUnscored) return ending;
  ending.truncated = has_stopped(record, StopReason::kLength);
  ending.cut = any_completion(record, [](const Completion& c) { return c.cut_tokens > 0; });
  const bool refused = has_stopped(record, StopReason::kContentFilter);
  ending.empty = !refused && is_empty(record);
  if (record.score.verdict == Verdict::kNoAnswer && !ending.empty) {
    ending.refused = refused;
    ending.think_only = !refused && is_thinking(record);
    ending.unparsed = !refused && !ending.think_only;
  }
  ending.ended = record.score.verdict != Verdict::kNoAnswer && !ending.truncated && !ending.empty && !refused;
  return ending;
}

}  // namespace micius
