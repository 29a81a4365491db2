#include "stats/bradley_terry.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace micius {
namespace {

using Vector = std::vector<double>;
using Matrix = std::vector<Vector>;

double chance(double stronger, double weaker) { return 1 / (1 + std::exp(weaker - stronger)); }

// Can every model be reached from the first along wins, forward and backward?
bool strongly_connected(const Matrix& wins) {
  for (const bool forward : {true, false}) {
    std::vector<bool> seen(wins.size());
    std::vector<std::size_t> open = {0};
    seen[0] = true;
    while (!open.empty()) {
      const std::size_t i = open.back();
      open.pop_back();
      for (std::size_t j = 0; j < wins.size(); ++j) {
        if (seen[j] || (forward ? wins[i][j] : wins[j][i]) <= 0) continue;
        seen[j] = true;
        open.push_back(j);
      }
    }
    if (std::find(seen.begin(), seen.end(), false) != seen.end()) return false;
  }
  return true;
}

// Inverse of a symmetric positive definite matrix, by Gauss and Jordan.
Matrix inverse(Matrix a) {
  const std::size_t n = a.size();
  Matrix result(n, Vector(n));
  for (std::size_t i = 0; i < n; ++i) result[i][i] = 1;
  for (std::size_t i = 0; i < n; ++i) {
    const double pivot = a[i][i];
    for (std::size_t k = 0; k < n; ++k) {
      a[i][k] /= pivot;
      result[i][k] /= pivot;
    }
    for (std::size_t j = 0; j < n; ++j) {
      const double factor = a[j][i];
      if (j == i || factor == 0) continue;
      for (std::size_t k = 0; k < n; ++k) {
        a[j][k] -= factor * a[i][k];
        result[j][k] -= factor * result[i][k];
      }
    }
  }
  return result;
}

// The pseudo-inverse of the information. Its kernel are the equal strengths, so that L + J / n, with J all
// ones, is regular and has the inverse L+ + J / n.
Matrix covariance(const Matrix& wins, const Vector& strength) {
  const std::size_t n = wins.size();
  const double share = 1 / static_cast<double>(n);
  Matrix information(n, Vector(n, share));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < n; ++j) {
      if (i == j) continue;
      const double p = chance(strength[i], strength[j]);
      const double weight = (wins[i][j] + wins[j][i]) * p * (1 - p);
      information[i][j] -= weight;
      information[i][i] += weight;
    }
  }
  Matrix result = inverse(std::move(information));
  for (Vector& row : result)
    for (double& x : row) x -= share;
  return result;
}

Vector gradient(const Matrix& wins, const Vector& strength) {
  Vector result(wins.size());
  for (std::size_t i = 0; i < wins.size(); ++i)
    for (std::size_t j = 0; j < wins.size(); ++j)
      if (i != j) result[i] += wins[i][j] - (wins[i][j] + wins[j][i]) * chance(strength[i], strength[j]);
  return result;
}

double log_likelihood(const Matrix& wins, const Vector& strength) {
  double sum = 0;
  for (std::size_t i = 0; i < wins.size(); ++i)
    for (std::size_t j = 0; j < wins.size(); ++j)
      if (wins[i][j] > 0) sum -= wins[i][j] * std::log1p(std::exp(strength[j] - strength[i]));
  return sum;
}

Vector product(const Matrix& a, const Vector& x) {
  Vector result(a.size());
  for (std::size_t i = 0; i < a.size(); ++i)
    for (std::size_t j = 0; j < x.size(); ++j) result[i] += a[i][j] * x[j];
  return result;
}

// Newton's method with halved steps; the likelihood has one maximum and no other place to stop.
Vector most_likely(const Matrix& wins) {
  constexpr int kSteps = 200;
  Vector strength(wins.size());
  double value = log_likelihood(wins, strength);
  for (int step = 0; step < kSteps; ++step) {
    const Vector direction = product(covariance(wins, strength), gradient(wins, strength));
    double length = 1, size = 0;
    for (const double x : direction) size = std::max(size, std::abs(x));
    Vector next;
    do {
      next = strength;
      for (std::size_t i = 0; i < next.size(); ++i) next[i] += length * direction[i];
      length /= 2;
    } while (log_likelihood(wins, next) < value && length > 1e-9);
    strength = std::move(next);
    value = log_likelihood(wins, strength);
    if (size < 1e-12) break;
  }
  return strength;
}

BradleyTerry with_errors(Vector strength, const Matrix& cov) {
  const std::size_t n = strength.size();
  const auto root = [](double x) { return std::sqrt(std::max(0.0, x)); };
  BradleyTerry result{std::move(strength), Vector(n), Matrix(n, Vector(n))};
  for (std::size_t i = 0; i < n; ++i) {
    result.stderr_[i] = root(cov[i][i]);
    for (std::size_t j = 0; j < n; ++j)
      if (i != j) result.difference_stderr[i][j] = root(cov[i][i] + cov[j][j] - 2 * cov[i][j]);
  }
  return result;
}

// What the games of one sample add to the gradient.
void add_gradient(const Matrix& scores, std::size_t sample, const Vector& strength, Vector& sum) {
  for (std::size_t i = 0; i < scores.size(); ++i) {
    for (std::size_t j = i + 1; j < scores.size(); ++j) {
      const double a = scores[i][sample], b = scores[j][sample];
      if (a == b) continue;
      const double rest = (a > b ? 1 : 0) - chance(strength[i], strength[j]);
      sum[i] += rest;
      sum[j] -= rest;
    }
  }
}

}  // namespace

std::optional<BradleyTerry> bradley_terry(const Matrix& wins) {
  if (wins.size() < 2 || !strongly_connected(wins)) return std::nullopt;
  Vector strength = most_likely(wins);
  const Matrix cov = covariance(wins, strength);
  return with_errors(std::move(strength), cov);
}

std::optional<BradleyTerry> bradley_terry_of_scores(const Matrix& scores,
                                                    std::span<const std::uint32_t> clusters) {
  const std::size_t models = scores.size(), samples = models == 0 ? 0 : scores.front().size();
  Matrix wins(models, Vector(models));
  for (std::size_t i = 0; i < models; ++i)
    for (std::size_t j = 0; j < models; ++j)
      for (std::size_t s = 0; s < samples; ++s) wins[i][j] += scores[i][s] > scores[j][s] ? 1 : 0;
  if (models < 2 || !strongly_connected(wins)) return std::nullopt;
  Vector strength = most_likely(wins);
  std::map<std::uint32_t, Vector> sums;
  for (std::size_t s = 0; s < samples; ++s) {
    const auto cluster = clusters.empty() ? static_cast<std::uint32_t>(s) : clusters[s];
    add_gradient(scores, s, strength, sums.try_emplace(cluster, Vector(models)).first->second);
  }
  if (sums.size() < 2) return std::nullopt;
  const Matrix bread = covariance(wins, strength);
  const double factor = static_cast<double>(sums.size()) / static_cast<double>(sums.size() - 1);
  Matrix cov(models, Vector(models));
  for (const auto& [cluster, sum] : sums) {
    const Vector moved = product(bread, sum);
    for (std::size_t i = 0; i < models; ++i)
      for (std::size_t j = 0; j < models; ++j) cov[i][j] += factor * moved[i] * moved[j];
  }
  return with_errors(std::move(strength), cov);
}

double elo(double strength) { return 400 / std::log(10.0) * strength; }

}  // namespace micius
