#include "stats/power.h"

#include <algorithm>
#include <cmath>

#include "stats/distribution.h"
#include "stats/paired.h"

namespace micius {
namespace {

struct Quantiles {
  double a, b;
};

Quantiles quantiles(const PowerOptions& options) {
  return {normal_quantile(1 - options.alpha / 2), normal_quantile(options.power)};
}

// How many losses of m discordant pairs, at most, still reject; less than 0 where none does.
long most_losses(std::size_t m, double alpha, double BinomialTest::*p, long guess) {
  while (guess + 1 <= static_cast<long>(m) / 2 &&
         binomial_test(m - static_cast<std::size_t>(guess + 1), static_cast<std::size_t>(guess + 1)).*p <=
             alpha)
    ++guess;
  return guess;
}

double exact_power(std::size_t n, const PairedRates& rates, double alpha, double BinomialTest::*p) {
  const double psi = rates.share(), win = rates.only_a / psi;
  double power = 0, before = 0;
  long losses = -1;  // does not fall as m grows
  for (std::size_t m = 0; m <= n; ++m) {
    const double up_to = binomial_cdf(m, n, psi), chance = up_to - before;
    before = up_to;
    losses = most_losses(m, alpha, p, losses);
    if (losses < 0) continue;
    const auto k = static_cast<std::size_t>(losses);
    power += chance * (binomial_cdf(k, m, win) + binomial_cdf(k, m, 1 - win));
  }
  return power;
}

// Power of the two-sided t test of n differences whose mean is `effect` standard deviations.
double t_power(std::size_t n, double effect, double alpha) {
  const auto count = static_cast<double>(n);
  const double bound = t_quantile(1 - alpha / 2, count - 1), shift = effect * std::sqrt(count);
  return 1 - noncentral_t_cdf(bound, count - 1, shift) + noncentral_t_cdf(-bound, count - 1, shift);
}

}  // namespace

std::optional<double> connor_pairs(const PairedRates& rates, const PowerOptions& options) {
  const double d = rates.gap(), psi = rates.share();
  if (d == 0) return std::nullopt;
  const Quantiles z = quantiles(options);
  return std::pow((z.a * std::sqrt(psi) + z.b * std::sqrt(psi - d * d)) / d, 2);
}

std::optional<double> miettinen_pairs(const PairedRates& rates, const PowerOptions& options) {
  const double d = rates.gap(), psi = rates.share();
  if (d == 0) return std::nullopt;
  const Quantiles z = quantiles(options);
  const double root = std::sqrt(std::max(0.0, psi * psi - d * d * (3 + psi) / 4));
  return std::pow(z.a * psi + z.b * root, 2) / (psi * d * d);
}

McNemarPower mcnemar_power(std::size_t n, const PairedRates& rates, double alpha) {
  const double psi = rates.share(), shift = std::abs(rates.gap()) * std::sqrt(static_cast<double>(n));
  const double bound = normal_quantile(1 - alpha / 2) * std::sqrt(psi);
  const double spread = std::sqrt(psi - rates.gap() * rates.gap());
  const double near = normal_cdf((shift - bound) / spread), far = normal_cdf((-shift - bound) / spread);
  return {near, near + far, exact_power(n, rates, alpha, &BinomialTest::exact),
          exact_power(n, rates, alpha, &BinomialTest::mid_p)};
}

std::optional<double> detectable_gap(std::size_t n, double share, const PowerOptions& options) {
  if (n < 2 || share <= 0) return std::nullopt;
  const Quantiles z = quantiles(options);
  const auto count = static_cast<double>(n);
  const double aa = z.a * z.a, bb = z.b * z.b, inner = aa * count * share;
  const double under = inner - (count + bb) * share * (aa - bb);
  if (under < 0) return std::nullopt;
  const double d = (z.a * std::sqrt(count * share) + std::sqrt(under)) / (count + bb);
  if (d > share) return std::nullopt;
  return d;
}

std::optional<double> detectable_mean_normal(std::size_t n, double sd, const PowerOptions& options) {
  if (n < 2 || sd <= 0) return std::nullopt;
  const Quantiles z = quantiles(options);
  return (z.a + z.b) * sd / std::sqrt(static_cast<double>(n));
}

std::optional<double> detectable_mean_t(std::size_t n, double sd, const PowerOptions& options) {
  const auto start = detectable_mean_normal(n, 1, options);
  if (!start || sd <= 0) return std::nullopt;
  double low = 0, high = *start;
  while (t_power(n, high, options.alpha) < options.power) high *= 2;
  for (int i = 0; i < 60; ++i) {
    const double middle = (low + high) / 2;
    (t_power(n, middle, options.alpha) < options.power ? low : high) = middle;
  }
  return sd * (low + high) / 2;
}

std::optional<double> pairs_for_mean(double difference, double sd, const PowerOptions& options) {
  if (difference == 0 || sd <= 0) return std::nullopt;
  const Quantiles z = quantiles(options);
  return std::pow((z.a + z.b) * sd / difference, 2);
}

}  // namespace micius
