#include "stats/aggregate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/python_random.h"

namespace micius {
namespace {

// s / sqrt(N) of the samples of all parts, from the parts' own spreads and those of their means.
std::optional<double> concatenated_error(std::span<const Part> parts, double micro, double all) {
  if (all < 2) return std::nullopt;
  double squares = 0;
  for (const Part& part : parts) {
    const auto n = static_cast<double>(part.n);
    const double se = part.stderr_.value_or(0);
    if (part.n > 0) squares += (n - 1) * n * se * se + n * std::pow(*part.mean - micro, 2);
  }
  return std::sqrt(squares / (all - 1) / all);
}

}  // namespace

GroupScore group_score(std::span<const Part> parts) {
  GroupScore score;
  double all = 0, sum = 0, plain = 0, pooled = 0, squares = 0, strata = 0;
  const auto tasks = static_cast<double>(parts.size());
  bool every_mean = true, every_error = true;
  for (const Part& part : parts) {
    const auto n = static_cast<double>(part.n);
    const double se = part.stderr_.value_or(0);
    every_mean = every_mean && part.mean;
    every_error = every_error && part.stderr_;
    all += n;
    sum += n * part.mean.value_or(0);
    plain += part.mean.value_or(0);
    pooled += (n - 1) * se * se * n;
    squares += se * se;
    strata += n * se * n * se;
  }
  if (all == 0) return score;
  score.micro = sum / all;
  if (every_mean) score.macro = plain / tasks;
  if (every_error) {
    score.lm_micro = std::sqrt(pooled / (all - tasks) / all);
    score.lm_macro = std::sqrt(squares) / tasks;
    score.stratified = std::sqrt(strata) / all;
  }
  score.concatenated = concatenated_error(parts, *score.micro, all);
  return score;
}

Weighted weighted_mean(std::span<const WeightedPart> parts) {
  double weights = 0, sum = 0, variance = 0;
  bool every_error = true;
  for (const WeightedPart& part : parts) {
    weights += part.weight;
    sum += part.weight * part.mean;
    variance += std::pow(part.weight * part.stderr_.value_or(0), 2);
    every_error = every_error && part.stderr_;
  }
  if (weights == 0) return {};
  Weighted result{sum / weights, {}};
  if (every_error) result.stderr_ = std::sqrt(variance) / weights;
  return result;
}

std::optional<double> lm_eval_bootstrap_stderr(
    std::size_t n, const std::function<double(std::span<const std::size_t>)>& statistic, std::size_t iters) {
  const std::size_t chunk = std::min<std::size_t>(1000, iters);
  if (n == 0 || chunk == 0) return std::nullopt;
  std::vector<double> results;
  std::vector<std::size_t> drawn(n);
  for (std::size_t i = 0; i < iters / chunk; ++i) {
    PythonRandom random(i);
    for (std::size_t j = 0; j < chunk; ++j) {
      for (std::size_t& index : drawn)
        index = static_cast<std::size_t>(random.uniform() * static_cast<double>(n));
      results.push_back(statistic(drawn));
    }
  }
  if (results.size() < 2) return std::nullopt;
  double mean = 0, squares = 0;
  for (const double x : results) mean += x / static_cast<double>(results.size());
  for (const double x : results) squares += (x - mean) * (x - mean);
  return std::sqrt(squares / static_cast<double>(results.size() - 1));
}

}  // namespace micius
