// A task asked in other words.
#pragma once

#include "core/task.h"

namespace micius {

// Of a task of the suite aimicius, the task NAME:robust: the 200 of its test cases that robust.jsonl asks
// again in other words (or, Optiflow, with the GPUs numbered otherwise), each before its other forms.
// Beside the task's own metrics, over all forms, it has two of the first one by case:
//   worst      the mean of the lowest values that the forms of a case have
//   flip_rate  the share of cases whose forms do not all have the same value
// The forms of a case are a cluster: its field `of` is the id of the test case, the test case's own too.
Task robust_task(Task task);

}  // namespace micius
