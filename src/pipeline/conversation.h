// One sample under way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/prompt.h"
#include "core/sample.h"
#include "core/score.h"
#include "core/turn.h"

namespace micius {

struct Conversation {
  std::size_t index = 0;  // in the dataset
  int repeat = 0;
  const Sample* sample = nullptr;  // the plan's; outlives the conversation
  std::vector<Sample> shots;
  std::vector<Turn> turns;
  Prompt asked;  // its answer is awaited
};

// A conversation after an answer was judged: it goes on with `next`, or it ends with `score`.
struct Judged {
  Conversation conversation;
  std::optional<Prompt> next;
  Score score;            // if and only if there is nothing next
  bool is_fault = false;  // judging threw: the score says what
};

}  // namespace micius
