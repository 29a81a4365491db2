#include "stats/rank_correlation.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "stats/distribution.h"

namespace micius {
namespace {

// Sums over runs of t equal values.
struct Ties {
  double pairs = 0;    // t (t - 1)
  double triples = 0;  // t (t - 1)(t - 2)
  double spread = 0;   // t (t - 1)(2 t + 5)
};

Ties ties_of(std::span<const double> values) {
  std::map<double, double> counts;
  for (const double value : values) ++counts[value];
  Ties ties;
  for (const auto& [value, t] : counts) {
    ties.pairs += t * (t - 1);
    ties.triples += t * (t - 1) * (t - 2);
    ties.spread += t * (t - 1) * (2 * t + 5);
  }
  return ties;
}

std::vector<double> mean_ranks(std::span<const double> values) {
  std::vector<double> sorted(values.begin(), values.end()), ranks;
  std::sort(sorted.begin(), sorted.end());
  for (const double value : values) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), value);
    ranks.push_back(static_cast<double>((first - sorted.begin()) + (last - sorted.begin()) + 1) / 2);
  }
  return ranks;
}

double sign(double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

double correlation(std::span<const double> x, std::span<const double> y) {
  const double middle = (static_cast<double>(x.size()) + 1) / 2;
  double xy = 0, xx = 0, yy = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    xy += (x[i] - middle) * (y[i] - middle);
    xx += (x[i] - middle) * (x[i] - middle);
    yy += (y[i] - middle) * (y[i] - middle);
  }
  return xy / std::sqrt(xx * yy);
}

}  // namespace

std::optional<RankCorrelation> rank_correlation(std::span<const double> x, std::span<const double> y) {
  if (x.size() < 2) return std::nullopt;
  const auto n = static_cast<double>(x.size()), all = n * (n - 1);
  const Ties t = ties_of(x), u = ties_of(y);
  if (t.pairs == all || u.pairs == all) return std::nullopt;
  double agreeing = 0;  // P - Q
  for (std::size_t i = 0; i < x.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) agreeing += sign(x[i] - x[j]) * sign(y[i] - y[j]);
  double variance = (all * (2 * n + 5) - t.spread - u.spread) / 18 + t.pairs * u.pairs / (2 * all);
  if (n > 2) variance += t.triples * u.triples / (9 * all * (n - 2));
  RankCorrelation result{};
  result.tau_b = agreeing / std::sqrt((all - t.pairs) / 2 * ((all - u.pairs) / 2));
  result.tau_p = normal_two_sided(agreeing / std::sqrt(variance));
  result.rho = std::clamp(correlation(mean_ranks(x), mean_ranks(y)), -1.0, 1.0);
  if (n == 2) return result;
  const double rest = 1 - result.rho * result.rho;
  result.rho_p = rest <= 1e-15 ? 0 : t_two_sided(result.rho * std::sqrt((n - 2) / rest), n - 2);
  return result;
}

}  // namespace micius
