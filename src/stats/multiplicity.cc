#include "stats/multiplicity.h"

#include <algorithm>
#include <cstddef>
#include <functional>

namespace micius {
namespace {

// The present ones, smallest first, as places in `p`.
std::vector<std::size_t> sorted_places(std::span<const std::optional<double>> p) {
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < p.size(); ++i)
    if (p[i]) places.push_back(i);
  std::stable_sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return *p[a] < *p[b]; });
  return places;
}

// What p(j) is multiplied with: factor(j, m), j from 1.
using Factor = std::function<double(double j, double m)>;

// From the smallest p up, never falling.
PValues step_down(std::span<const std::optional<double>> p, const Factor& factor) {
  PValues result(p.begin(), p.end());
  const std::vector<std::size_t> places = sorted_places(p);
  const auto m = static_cast<double>(places.size());
  double running = 0;
  for (std::size_t j = 0; j < places.size(); ++j) {
    running = std::max(running, std::min(1.0, factor(static_cast<double>(j + 1), m) * *p[places[j]]));
    result[places[j]] = running;
  }
  return result;
}

// From the greatest p down, never rising.
PValues step_up(std::span<const std::optional<double>> p, const Factor& factor) {
  PValues result(p.begin(), p.end());
  const std::vector<std::size_t> places = sorted_places(p);
  const auto m = static_cast<double>(places.size());
  double running = 1;
  for (std::size_t j = places.size(); j-- > 0;) {
    running = std::min(running, factor(static_cast<double>(j + 1), m) * *p[places[j]]);
    result[places[j]] = running;
  }
  return result;
}

}  // namespace

PValues holm(std::span<const std::optional<double>> p) {
  return step_down(p, [](double j, double m) { return m - j + 1; });
}

PValues hochberg(std::span<const std::optional<double>> p) {
  return step_up(p, [](double j, double m) { return m - j + 1; });
}

PValues benjamini_hochberg(std::span<const std::optional<double>> p) {
  return step_up(p, [](double j, double m) { return m / j; });
}

PValues benjamini_yekutieli(std::span<const std::optional<double>> p) {
  const auto places = sorted_places(p);
  double harmonic = 0;
  for (std::size_t k = 1; k <= places.size(); ++k) harmonic += 1 / static_cast<double>(k);
  return step_up(p, [harmonic](double j, double m) { return m * harmonic / j; });
}

PValues bonferroni(std::span<const std::optional<double>> p) {
  return step_up(p, [](double, double m) { return m; });
}

}  // namespace micius
