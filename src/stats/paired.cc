#include "stats/paired.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/distribution.h"
#include "stats/proportion.h"

namespace micius {
namespace {

struct Counts {
  double both, only_a, only_b, neither, n;
};

Counts real(const PairedCounts& c) {
  return {static_cast<double>(c.both), static_cast<double>(c.only_a), static_cast<double>(c.only_b),
          static_cast<double>(c.neither), static_cast<double>(c.n())};
}

// Tango's score statistic of the difference `d`; it falls in d.
double tango_score(const Counts& k, double d) {
  const double a = 2 * k.n, b = -k.only_a - k.only_b + (2 * k.n - k.only_a + k.only_b) * d;
  const double c = -k.only_b * d * (1 - d);
  const double share = (std::sqrt(std::max(0.0, b * b - 4 * a * c)) - b) / (2 * a);
  const double variance = k.n * (2 * share + d * (1 - d)), numerator = k.only_a - k.only_b - k.n * d;
  if (variance > 0) return numerator / std::sqrt(variance);
  return numerator > 0   ? std::numeric_limits<double>::infinity()
         : numerator < 0 ? -std::numeric_limits<double>::infinity()
                         : 0;
}

// Where the score crosses `target`, between low and high.
double tango_root(const Counts& k, double target, Interval between) {
  constexpr int kHalvings = 60;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (between.low + between.high) / 2;
    (tango_score(k, middle) > target ? between.low : between.high) = middle;
  }
  return (between.low + between.high) / 2;
}

Interval tango(const Counts& k, double z) {
  const double d = (k.only_a - k.only_b) / k.n;
  return {d <= -1 ? -1 : tango_root(k, z, {-1, d}), d >= 1 ? 1 : tango_root(k, -z, {d, 1})};
}

double newcombe_correlation(const Counts& k) {
  const double margins =
      (k.both + k.only_a) * (k.only_b + k.neither) * (k.both + k.only_b) * (k.only_a + k.neither);
  if (margins == 0) return 0;
  const double a = k.both * k.neither - k.only_a * k.only_b;
  const double corrected = a < 0 ? a : std::max(0.0, a - k.n / 2);
  return corrected / std::sqrt(margins);
}

Interval newcombe(const PairedCounts& counts, const Counts& k, double level) {
  const double p1 = (k.both + k.only_a) / k.n, p2 = (k.both + k.only_b) / k.n, phi = newcombe_correlation(k);
  const Interval w1 = wilson(counts.both + counts.only_a, counts.n(), level);
  const Interval w2 = wilson(counts.both + counts.only_b, counts.n(), level);
  const auto distance = [&](double x, double y) {
    return std::sqrt(std::max(0.0, x * x - 2 * phi * x * y + y * y));
  };
  return {p1 - p2 - distance(p1 - w1.low, w2.high - p2), p1 - p2 + distance(p2 - w2.low, w1.high - p1)};
}

}  // namespace

BinomialTest binomial_test(std::size_t wins, std::size_t losses) {
  const std::size_t m = wins + losses, k = std::min(wins, losses);
  if (m == 0) return {1, 0, 1};
  const auto pairs = static_cast<double>(m);
  // ln C(m, k) / 2^m, and the tail as a multiple of that term.
  const double log_term = -std::log(pairs + 1) -
                          log_beta(static_cast<double>(k) + 1, static_cast<double>(m - k) + 1) -
                          pairs * std::log(2.0);
  double tail = 0, term = 1;
  for (std::size_t i = k + 1; i-- > 0 && term > 0;) {
    tail += term;
    term *= static_cast<double>(i) / static_cast<double>(m - i + 1);
  }
  const double log_exact = std::log(2 * tail) + log_term;
  if (wins == losses) return {1, 0, 1};
  return {std::min(1.0, std::exp(log_exact)), std::min(0.0, log_exact / std::log(10.0)),
          (2 * tail - 1) * std::exp(log_term)};
}

std::optional<McNemar> mcnemar(const PairedCounts& counts) {
  if (counts.n() == 0) return std::nullopt;
  McNemar result{binomial_test(counts.only_a, counts.only_b), {}, {}, {}, {}};
  if (counts.discordant() == 0) return result;
  const Counts k = real(counts);
  const double m = k.only_a + k.only_b, distance = std::abs(k.only_a - k.only_b);
  result.chi2 = distance * distance / m;
  result.chi2_p = normal_two_sided(std::sqrt(*result.chi2));
  const double corrected = std::max(0.0, distance - 1);
  result.chi2_corrected = corrected * corrected / m;
  result.chi2_corrected_p = normal_two_sided(std::sqrt(*result.chi2_corrected));
  return result;
}

std::optional<PairedDifference> paired_difference(const PairedCounts& counts, double level) {
  if (counts.n() == 0) return std::nullopt;
  const Counts k = real(counts);
  const double z = normal_quantile(0.5 + level / 2), d = (k.only_a - k.only_b) / k.n;
  PairedDifference result{d, {}, tango(k, z), newcombe(counts, k, level), {}};
  if (counts.n() < 2) return result;
  const double squares = k.only_a + k.only_b - (k.only_a - k.only_b) * (k.only_a - k.only_b) / k.n;
  result.stderr_ = std::sqrt(squares / (k.n * (k.n - 1)));
  if (squares > 0) result.wald = {d - z * *result.stderr_, d + z * *result.stderr_};
  return result;
}

}  // namespace micius
