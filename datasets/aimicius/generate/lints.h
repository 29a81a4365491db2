// What the build refuses. Each rule throws Error{kInvalidData} naming the case or the frame.
#pragma once

#include "infrawise.h"

namespace micius::aimicius {

// Frames that only the test sees differ from those of the tuning data: at least 0.2 in word-trigram distance
// and 0.15 of their length in edit distance.
void lint_frames(const Phrasings& phrasings, FrameRule allowed);

// Each question: 5 to 60 words, asked once; no design in it but target and baseline; a word for its criterion
// and for no other; of a curated one, target and baseline are in it.
void lint_questions(const Splits& splits, const Sources& sources);

// No combination in two splits; no test-only family in tuning or dev; no (design, workload, criterion) of a
// new combination in the tuning data.
void lint_splits(const Splits& splits);

// The second predicate gives the same matches; in a comparison with matches each side has one; at most three
// None cases of a workload that no record has; the None share is 16 % within a point and no case is matched
// by all its candidates (the floors: a constant "None" and a constant "all of them").
void lint_matches(const Splits& splits, const Sources& sources);

}  // namespace micius::aimicius
