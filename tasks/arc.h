// AI2 Reasoning Challenge (Clark et al., 2018): school science questions with three to five choices.
#pragma once

#include "core/task.h"

namespace micius {

Task make_arc_easy(const TaskOptions& options);
Task make_arc_challenge(const TaskOptions& options);

// The sample of a row in AI2's form: "choices" {"text", "label"} and "answerKey".
Sample prepare_ai2(Sample sample);

}  // namespace micius
