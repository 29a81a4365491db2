#include "stats/sequential.h"

#include <algorithm>
#include <cmath>

#include "stats/distribution.h"

namespace micius {
namespace {

// ln of e against theta.
double log_e_at(double b, double c, double theta) {
  double log_e = log_beta(b + 1, c + 1);
  if (b > 0) log_e -= b * std::log(theta);
  if (c > 0) log_e -= c * std::log1p(-theta);
  return log_e;
}

// Where ln e crosses `bound` between `inside`, where it is below, and `outside`.
double crossing(double b, double c, double bound, double inside, double outside) {
  constexpr int kHalvings = 200;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = (inside + outside) / 2;
    (log_e_at(b, c, middle) < bound ? inside : outside) = middle;
  }
  return (inside + outside) / 2;
}

}  // namespace

void MixtureSprt::add(Pair pair) {
  if (pair == Pair::kSame) return;
  ++(pair == Pair::kOnlyA ? only_a_ : only_b_);
  log_e_ = mixture_log_e(only_a_, only_b_);
  greatest_ = std::max(greatest_, log_e_);
}

double MixtureSprt::p() const { return std::min(1.0, std::exp(-greatest_)); }

double mixture_log_e(std::size_t only_a, std::size_t only_b) {
  const auto b = static_cast<double>(only_a), c = static_cast<double>(only_b);
  return (b + c) * std::log(2.0) + log_beta(b + 1, c + 1);
}

Interval mixture_confidence(std::size_t only_a, std::size_t only_b, double alpha) {
  const auto b = static_cast<double>(only_a), c = static_cast<double>(only_b);
  if (only_a + only_b == 0) return {0, 1};
  const double bound = -std::log(alpha), best = b / (b + c);
  return {only_a == 0 ? 0 : crossing(b, c, bound, best, 0), only_b == 0 ? 1 : crossing(b, c, bound, best, 1)};
}

void EmpiricalBernstein::add(double difference) {
  const double x = (difference + 1) / 2, log_bound = std::log(2 / alpha_);
  const double mean_before = (0.5 + sum_) / (n_ + 1), variance = (0.25 + squares_) / (n_ + 1);
  n_ += 1;
  const double lambda = std::min(std::sqrt(2 * log_bound / (variance * n_ * std::log(1 + n_))), 0.5);
  sum_ += x;
  const double mean = (0.5 + sum_) / (n_ + 1);
  squares_ += (x - mean) * (x - mean);
  lambdas_ += lambda;
  weighted_ += lambda * x;
  const double psi = (-std::log1p(-lambda) - lambda) / 4;
  cost_ += 4 * (x - mean_before) * (x - mean_before) * psi;
  const double centre = weighted_ / lambdas_, half = (log_bound + cost_) / lambdas_;
  const auto back = [](double share) { return 2 * std::clamp(share, 0.0, 1.0) - 1; };
  interval_ = {back(centre - half), back(centre + half)};
  running_ = {std::max(running_.low, interval_.low), std::min(running_.high, interval_.high)};
}

}  // namespace micius
