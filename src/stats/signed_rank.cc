#include "stats/signed_rank.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stats/distribution.h"
#include "stats/paired.h"

namespace micius {
namespace {

struct Ranked {
  double rank;
  bool positive;
};

struct Ranking {
  std::vector<Ranked> ranks;  // of the differences that are not 0
  double tie_sum = 0;         // sum of t^3 - t over runs of t equal ones
  double w_plus = 0, w_minus = 0;
};

// Ranks from `first_rank` + 1 on. Sizes that differ by rounding alone are equal.
Ranking rank(std::span<const double> differences, std::size_t first_rank) {
  std::vector<double> sorted;
  for (const double d : differences)
    if (d != 0) sorted.push_back(d);
  std::sort(sorted.begin(), sorted.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
  Ranking result;
  const double slack = sorted.empty() ? 0 : 1e-12 * std::abs(sorted.back());
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i + 1;
    while (end < sorted.size() && std::abs(sorted[end]) - std::abs(sorted[end - 1]) <= slack) ++end;
    const auto t = static_cast<double>(end - i);
    const double shared = static_cast<double>(first_rank) + (static_cast<double>(i + end) + 1) / 2;
    result.tie_sum += t * t * t - t;
    for (; i < end; ++i) {
      result.ranks.push_back({shared, sorted[i] > 0});
      (sorted[i] > 0 ? result.w_plus : result.w_minus) += shared;
    }
  }
  return result;
}

// counts[s]: sign patterns in which twice the sum of the positive ranks is s. Ranks are halves at least.
std::vector<double> pattern_counts(const Ranking& ranking) {
  std::vector<double> counts = {1};
  for (const Ranked& r : ranking.ranks) {
    const auto step = static_cast<std::size_t>(std::lround(2 * r.rank));
    counts.resize(counts.size() + step);
    for (std::size_t s = counts.size(); s-- > step;) counts[s] += counts[s - step];
  }
  return counts;
}

SignedRank::Exact exact_test(const Ranking& ranking) {
  const std::vector<double> counts = pattern_counts(ranking);
  const auto seen = static_cast<std::size_t>(std::lround(2 * ranking.w_plus));
  double below = 0, above = 0, total = 0;
  for (std::size_t s = 0; s < counts.size(); ++s) {
    total += counts[s];
    if (s <= seen) below += counts[s];
    if (s >= seen) above += counts[s];
  }
  const double extreme = 2 * std::min(below, above);
  return {extreme, total, std::min(1.0, extreme / total)};
}

struct Moments {
  double mean, variance;
};

// n ranked differences of which z are 0.
Moments moments(double n, double z, double tie_sum) {
  return {(n * (n + 1) - z * (z + 1)) / 4,
          (n * (n + 1) * (2 * n + 1) - z * (z + 1) * (2 * z + 1)) / 24 - tie_sum / 48};
}

SignedRank::Normal normal_test(double w_plus, const Moments& m, double correction) {
  const double distance = w_plus - m.mean;
  const double z =
      std::copysign(std::max(0.0, std::abs(distance) - correction), distance) / std::sqrt(m.variance);
  return {w_plus, z, normal_two_sided(z)};
}

}  // namespace

std::optional<SignTest> sign_test(std::span<const double> differences) {
  if (differences.empty()) return std::nullopt;
  SignTest result{0, 0, 0, 1};
  for (const double d : differences) ++(d > 0 ? result.plus : d < 0 ? result.minus : result.ties);
  result.p = binomial_test(result.plus, result.minus).exact;
  return result;
}

std::optional<SignedRank> signed_rank(std::span<const double> differences) {
  if (differences.empty()) return std::nullopt;
  const Ranking ranking = rank(differences, 0);
  SignedRank result;
  result.n = differences.size();
  result.zeros = differences.size() - ranking.ranks.size();
  result.ties = ranking.tie_sum > 0;
  result.w_plus = ranking.w_plus;
  result.w_minus = ranking.w_minus;
  if (ranking.ranks.size() <= kExactRanks) result.exact = exact_test(ranking);
  if (ranking.ranks.empty()) return result;
  const Moments dropped = moments(static_cast<double>(ranking.ranks.size()), 0, ranking.tie_sum);
  result.wilcox = normal_test(ranking.w_plus, dropped, 0);
  result.wilcox_corrected = normal_test(ranking.w_plus, dropped, 0.5);
  const Ranking pratt = rank(differences, result.zeros);
  const Moments kept =
      moments(static_cast<double>(result.n), static_cast<double>(result.zeros), ranking.tie_sum);
  result.pratt = normal_test(pratt.w_plus, kept, 0);
  result.pratt_corrected = normal_test(pratt.w_plus, kept, 0.5);
  return result;
}

}  // namespace micius
