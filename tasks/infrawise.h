// The task `infrawise`: a question about published benchmark results, asked in two turns.
#pragma once

#include "core/task.h"

namespace micius {

// Turn 1 asks for the DCW of the question; turn 2, asked only if the scorer left a DCW in the first turn's
// observation, is a new conversation that holds that DCW and the candidate records, and nothing of turn 1:
// the DCW is the interface between the two.
//
// TaskOptions::params: "mode", one of "end-to-end" (default), "dcw" (turn 1 alone), "oracle" (turn 2 alone,
// with the true DCW); "vocabulary", "shown" (default) or "hidden": whether turn 1 lists the closed
// vocabulary. Shots (the first `dev` cases of the question's class) stand in turn 1 only. Throws
// Error{kUsage} for a parameter it does not know, Error{kNotFound} without the suite's vocabulary.json.
Task make_infrawise_task(const TaskOptions& options);

}  // namespace micius
