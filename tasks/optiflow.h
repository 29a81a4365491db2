// Optiflow: write a program that plans an all-gather on a multi-GPU machine; then, told its latency, a better
// one.
#pragma once

#include "core/task.h"

namespace micius {

// Two turns of one conversation, zero-shot by default: the machine as two tables, the rules and a first
// program; then what the first answer's plan took, or what was wrong with it. Shots are dev cases of the
// sample's family, in turn 1 alone, answered with their best program. No params.
Task make_optiflow_task(const TaskOptions& options);

}  // namespace micius
