// Answers that were there before they were asked for.
#pragma once

#include "core/completion.h"

namespace micius {

// The answer to the same question of an earlier time, given again: nothing was sent, its times say nothing,
// and its tokens are those of that time. It is known by its being done before it was planned.
inline bool is_from_cache(const Completion& completion) {
  return completion.timing.done < completion.timing.planned;
}

// Makes it one, at the time `now`.
inline void mark_from_cache(Completion& completion, Clock::time_point now) {
  completion.timing = {now, now, std::nullopt, now - Clock::time_point::duration(1)};
}

}  // namespace micius
