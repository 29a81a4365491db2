#include "stats/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include <fmt/format.h>

#include "base/rng.h"
#include "stats/blocks_internal.h"
#include "stats/distribution.h"
#include "stats/sample_quantile.h"

namespace micius {
namespace {

void draw(Rng& rng, std::vector<std::uint32_t>& drawn) {
  const std::uint64_t n = drawn.size();
  for (std::size_t i = 0; i < n; i += 2) {
    const std::uint64_t bits = rng();
    drawn[i] = static_cast<std::uint32_t>((bits >> 32) * n >> 32);
    if (i + 1 < n) drawn[i + 1] = static_cast<std::uint32_t>((bits & 0xffffffff) * n >> 32);
  }
}

// Four sums side by side, so that no addition waits for the one before.
double sum_of(std::span<const double> values, std::span<const std::uint32_t> drawn) {
  double sums[4] = {};
  std::size_t i = 0;
  for (; i + 4 <= drawn.size(); i += 4)
    for (std::size_t j = 0; j < 4; ++j) sums[j] += values[drawn[i + j]];
  for (; i < drawn.size(); ++i) sums[0] += values[drawn[i]];
  return sums[0] + sums[1] + (sums[2] + sums[3]);
}

double sum_of(std::span<const double> values) {
  double sum = 0;
  for (const double x : values) sum += x;
  return sum;
}

double deviation(std::span<const double> values) {
  const double mean = sum_of(values) / static_cast<double>(values.size());
  double squares = 0;
  for (const double x : values) squares += (x - mean) * (x - mean);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

// The share of resamples below the figure, equal ones counted half.
double share_below(const std::vector<double>& sorted, double value) {
  const double slack = 1e-12 * std::max({std::abs(value), std::abs(sorted.front()), std::abs(sorted.back())});
  const auto first = std::lower_bound(sorted.begin(), sorted.end(), value - slack);
  const auto last = std::upper_bound(sorted.begin(), sorted.end(), value + slack);
  const auto below = static_cast<double>(first - sorted.begin()), same = static_cast<double>(last - first);
  return (below + same / 2) / static_cast<double>(sorted.size());
}

void set_bca(BootstrapIntervals& result, const std::vector<double>& sorted, double tail) {
  if (!result.z0 || !result.acceleration) return;
  const auto share = [&](double z) {
    const double moved = *result.z0 + z;
    return normal_cdf(*result.z0 + moved / (1 - *result.acceleration * moved));
  };
  result.low_share = share(normal_quantile(tail));
  result.high_share = share(normal_quantile(1 - tail));
  result.bca = {quantile_type7(sorted, *result.low_share), quantile_type7(sorted, *result.high_share)};
}

// Sums and sizes of the clusters, in the order in which they are met.
struct Sums {
  std::vector<double> sums, sizes;
};

Sums sums_of(std::span<const double> values, std::span<const std::uint32_t> clusters) {
  Sums result;
  std::unordered_map<std::uint32_t, std::size_t> places;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto [it, is_new] = places.try_emplace(clusters[i], places.size());
    if (is_new) {
      result.sums.push_back(0);
      result.sizes.push_back(0);
    }
    result.sums[it->second] += values[i];
    ++result.sizes[it->second];
  }
  return result;
}

}  // namespace

std::vector<double> resample(std::size_t n, const Statistic& statistic, const Resampling& resampling) {
  std::vector<double> results(resampling.draws);
  for_each_block(resampling.draws, [&](std::size_t block, std::size_t begin, std::size_t end) {
    Rng rng(fmt::format("{}/{}", resampling.stream, block));
    std::vector<std::uint32_t> drawn(n);
    for (std::size_t i = begin; i < end; ++i) {
      draw(rng, drawn);
      results[i] = statistic(drawn);
    }
  });
  return results;
}

std::optional<double> acceleration(std::span<const double> jackknife) {
  if (jackknife.size() < 2) return std::nullopt;
  const double mean = sum_of(jackknife) / static_cast<double>(jackknife.size());
  double squares = 0, cubes = 0, size = 0;
  for (const double x : jackknife) {
    const double d = mean - x;
    squares += d * d;
    cubes += d * d * d;
    size = std::max(size, std::abs(x));
  }
  if (std::sqrt(squares) <= 1e-14 * size * static_cast<double>(jackknife.size())) return std::nullopt;
  return cubes / (6 * std::pow(squares, 1.5));
}

BootstrapIntervals bootstrap_intervals(double value, std::vector<double> resamples,
                                       std::span<const double> jackknife, double level) {
  BootstrapIntervals result;
  if (jackknife.size() < 2 || resamples.size() < 2) return result;
  std::sort(resamples.begin(), resamples.end());
  result.stderr_ = deviation(resamples);
  result.acceleration = acceleration(jackknife);
  const double below = share_below(resamples, value), tail = (1 - level) / 2;
  if (below > 0 && below < 1) result.z0 = normal_quantile(below);
  if (resamples.front() == resamples.back()) return result;
  result.percentile = {quantile_type7(resamples, tail), quantile_type7(resamples, 1 - tail)};
  result.basic = {2 * value - result.percentile->high, 2 * value - result.percentile->low};
  set_bca(result, resamples, tail);
  return result;
}

BootstrapIntervals bootstrap_mean(std::span<const double> values, std::span<const std::uint32_t> clusters,
                                  const Resampling& resampling, double level) {
  if (values.empty()) return {};
  const Sums grouped = clusters.empty() ? Sums{} : sums_of(values, clusters);
  const std::span<const double> sums = clusters.empty() ? values : std::span<const double>(grouped.sums);
  const bool whole = grouped.sizes.empty();
  const double sum = sum_of(sums), size = static_cast<double>(values.size());
  std::vector<double> jackknife;
  for (std::size_t i = 0; i < sums.size() && sums.size() > 1; ++i)
    jackknife.push_back((sum - sums[i]) / (size - (whole ? 1 : grouped.sizes[i])));
  const Statistic mean = [&](std::span<const std::uint32_t> drawn) {
    return sum_of(sums, drawn) / (whole ? size : sum_of(grouped.sizes, drawn));
  };
  return bootstrap_intervals(sum / size, resample(sums.size(), mean, resampling), jackknife, level);
}

}  // namespace micius
