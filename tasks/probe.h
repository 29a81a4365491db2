// The task `aimicius_probe`: does a model know the suites' test data by heart?
#pragma once

#include "core/task.h"

namespace micius {

// 101 texts to go on with: the sentence of CANARY.txt and 100 requests of the test sets of CMDGen, Infrawise
// and NL2KQL, of each the first half of its words. A chat model is told to go on word for word; with the
// style kText the prompt is the half alone, which a base model goes on with anyway. No params.
Task make_probe_task(const TaskOptions& options);

}  // namespace micius
