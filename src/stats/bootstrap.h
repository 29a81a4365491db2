// The bootstrap: what would the figure have been on other samples of the same kind?
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stats/interval.h"

namespace micius {

struct Resampling {
  std::size_t draws = 10000;
  std::string stream = "1234/bootstrap";  // the random stream's name
};

// A figure of the samples that were drawn, as indices. Called from several threads. For a paired figure of
// two systems it looks at both of them in each sample drawn.
using Statistic = std::function<double(std::span<const std::uint32_t> drawn)>;

// The figure on `draws` times n samples drawn with putting back (Efron 1979, Ann. Stat. 7:1-26). An index is
// drawn as (u n) / 2^32 of 32 random bits u, so that its chance is off by at most n / 2^32 of itself. The
// same for any number of threads. n > 0.
std::vector<double> resample(std::size_t n, const Statistic& statistic, const Resampling& resampling = {});

// What the resamples say; each field is absent where it says nothing (one sample, no spread).
struct BootstrapIntervals {
  std::optional<double> stderr_;              // standard deviation of the resamples
  std::optional<Interval> percentile, basic;  // quantiles of type 7 at alpha / 2 and 1 - alpha / 2; mirrored
  // BCa (Efron 1987, JASA 82:171-185): the quantiles at Phi(z0 + (z0 + z) / (1 - a (z0 + z))), with bias z0 =
  // Phi^-1 of the share of resamples below the figure, equal ones counted half, and a = sum d^3 / (6 (sum
  // d^2)^(3/2)) of the distances d of the jackknife values to their mean.
  std::optional<double> z0, acceleration, low_share, high_share;
  std::optional<Interval> bca;
};
// `jackknife`: the figure without each of the samples in turn. Equal up to rounding is equal.
BootstrapIntervals bootstrap_intervals(double value, std::vector<double> resamples,
                                       std::span<const double> jackknife, double level = 0.95);
std::optional<double> acceleration(std::span<const double> jackknife);

// The mean, of samples or of whole clusters drawn (then it is sums over sizes). clusters[i] names the cluster
// of values[i]; empty: all independent.
BootstrapIntervals bootstrap_mean(std::span<const double> values, std::span<const std::uint32_t> clusters,
                                  const Resampling& resampling = {}, double level = 0.95);

}  // namespace micius
