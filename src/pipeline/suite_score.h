// One number for a suite or a group of tasks, for tables of one line.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/report.h"

namespace micius {

// The mean of the primary metrics of the suite's tasks, for each model that has a score on every one of
// them; of several runs of a task the last counts. The tasks' samples are independent of each other, so the
// error is sqrt(sum of the squared errors) / tasks, and the interval 1.96 of it; both are absent where a task
// has no error, or one of 0, which small samples cannot mean. `n` is the samples of all tasks.
std::vector<Aggregate> suite_scores(std::span<const Report> reports, const std::string& suite,
                                    const std::vector<std::string>& tasks);

// lm-eval's score of a group: the mean of its tasks' values by number of samples, of each metric that all of
// them have as a mean, for each model that has runs of all of them that differ in nothing but the task:
// shots, options, numerics, number of samples (or all); of several such sets the latest. `stderr_` is
// lm-eval's too, from the pooled variance: sqrt(sum((n - 1) se^2 n) / (N - tasks) / N). The interval is 1.96
// of sqrt(sum((n se)^2)) / N, the error of a mean over strata, which is what the tasks are; both are absent
// where a task has no error, or all have one of 0.
std::vector<Aggregate> group_scores(std::span<const Report> reports, const std::string& group,
                                    const std::vector<std::string>& tasks);

}  // namespace micius
