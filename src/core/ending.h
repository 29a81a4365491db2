// What befell an answer, beside what it scored.
#pragma once

#include "core/record.h"

namespace micius {

// Of a record that has a score; nothing of one that failed or could not be judged.
struct Ending {
  bool truncated = false;  // an answer was at its limit of tokens
  bool cut = false;        // a prompt lost its beginning to a context that is too short
  // No answer, and why: one of these at most. A content filter may leave an empty text, which is no empty
  // answer then.
  bool empty = false, refused = false, think_only = false, unparsed = false;
  bool ended = false;  // by itself, with an answer
};

Ending ending_of(const Record& record);

}  // namespace micius
