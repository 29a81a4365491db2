// One figure of several tasks.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>

namespace micius {

// A task's mean over n samples with its standard error; a task of one sample has no error, of none no mean.
struct Part {
  std::optional<double> mean, stderr_;
  std::size_t n = 0;
};

// With N samples in J tasks: micro = sum n m / N; macro = sum m / J. lm_micro, the pooled standard error
// sqrt( sum (n - 1) se^2 n / (N - J) / N), and lm_macro, sqrt(sum se^2) / J, are lm-evaluation-harness's
// (lm_eval/api/metrics.py and group.py, 0.4.13). stratified: of micro with the sizes of the tasks fixed,
// sqrt(sum n^2 se^2) / N (Cochran 1977, Sampling Techniques, section 5.3). concatenated: s / sqrt(N) of all
// samples as one list; the pooled form is below it, since it leaves out the variance between tasks. An error
// is absent where a task has none, macro where a task has no sample.
struct GroupScore {
  std::optional<double> micro, macro, lm_micro, lm_macro, stratified, concatenated;
};
GroupScore group_score(std::span<const Part> parts);

// Mean of independent means by stated weights: sum w m / sum w, error sqrt(sum w^2 se^2) / sum w. Absent
// where the weights sum to 0, the error also where a part has none.
struct Weighted {
  std::optional<double> value, stderr_;
};
struct WeightedPart {
  double mean, weight;
  std::optional<double> stderr_;
};
Weighted weighted_mean(std::span<const WeightedPart> parts);

// lm-evaluation-harness's bootstrapped standard error (lm_eval/api/metrics.py, bootstrap_stderr), number for
// number: chunks of c = min(1000, iters), chunk i draws with CPython's Random(i), what is left of iters
// beyond whole chunks is dropped; the sample standard deviation of all. statistic(drawn): the figure of these
// samples, by index. Absent for fewer than two draws or no sample.
std::optional<double> lm_eval_bootstrap_stderr(
    std::size_t n, const std::function<double(std::span<const std::size_t>)>& statistic, std::size_t iters);

}  // namespace micius
