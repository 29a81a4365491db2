#include "stats/permutation.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "stats/blocks_internal.h"

namespace micius {
namespace {

constexpr double kRounding = 1e-9;

// Of all patterns of the signs of `d`, those at least as far from 0 as `threshold`. A pattern and its
// opposite are equally far, so the last sign stands still. In Gray's order, where one sign changes at a time.
double count_exactly(const std::vector<double>& d, double threshold) {
  double sum = 0;
  for (const double x : d) sum += x;
  std::vector<double> signed_values = d;
  double extreme = std::abs(sum) >= threshold ? 1 : 0;
  const std::uint64_t patterns = std::uint64_t{1} << (d.size() - 1);
  for (std::uint64_t i = 1; i < patterns; ++i) {
    double& x = signed_values[static_cast<std::size_t>(__builtin_ctzll(i))];
    sum -= 2 * x;
    x = -x;
    if (std::abs(sum) >= threshold) ++extreme;
  }
  return 2 * extreme;
}

// The sums of four values under their 16 patterns of signs, so that four signs are one addition.
using Quad = std::array<double, 16>;

std::vector<Quad> quads_of(std::vector<double> d) {
  d.resize((d.size() + 3) / 4 * 4);
  std::vector<Quad> quads(d.size() / 4);
  for (std::size_t q = 0; q < quads.size(); ++q)
    for (std::size_t signs = 0; signs < 16; ++signs)
      for (std::size_t i = 0; i < 4; ++i)
        quads[q][signs] += (signs >> i & 1) == 1 ? -d[4 * q + i] : d[4 * q + i];
  return quads;
}

// |sum| of one random pattern; 64 signs a draw.
double flipped_sum(const std::vector<Quad>& quads, Rng& rng) {
  double sum = 0;
  for (std::size_t first = 0; first < quads.size(); first += 16) {
    std::uint64_t bits = rng();
    const std::size_t end = std::min(quads.size(), first + 16);
    for (std::size_t q = first; q < end; ++q, bits >>= 4) sum += quads[q][bits & 15];
  }
  return std::abs(sum);
}

double count_randomly(const std::vector<double>& d, double threshold, const FlipOptions& options) {
  const std::vector<Quad> quads = quads_of(d);
  std::vector<double> sums(options.draws);
  for_each_block(options.draws, [&](std::size_t block, std::size_t begin, std::size_t end) {
    Rng rng(fmt::format("{}/{}", options.stream, block));
    for (std::size_t i = begin; i < end; ++i) sums[i] = flipped_sum(quads, rng);
  });
  return static_cast<double>(
      std::count_if(sums.begin(), sums.end(), [&](double sum) { return sum >= threshold; }));
}

}  // namespace

std::optional<SignFlips> sign_flips(std::span<const double> differences, const FlipOptions& options) {
  if (differences.empty()) return std::nullopt;
  std::vector<double> d;
  double sum = 0, size = 0;
  for (const double x : differences) {
    if (x != 0) d.push_back(x);
    sum += x;
    size += std::abs(x);
  }
  const double all = std::exp2(static_cast<double>(differences.size()));
  if (d.empty()) return SignFlips{all, all, 1, true};
  const double threshold = std::abs(sum) - kRounding * size;
  if (d.size() <= kExactSigns) {
    const double zeros = std::exp2(static_cast<double>(differences.size() - d.size()));
    const double extreme = count_exactly(d, threshold);
    return SignFlips{extreme * zeros, all, extreme / std::exp2(static_cast<double>(d.size())), true};
  }
  const double extreme = count_randomly(d, threshold, options);
  const auto p = monte_carlo_p(static_cast<std::size_t>(extreme), options.draws);
  if (!p) return std::nullopt;
  return SignFlips{extreme, static_cast<double>(options.draws), *p, false};
}

std::optional<double> monte_carlo_p(std::size_t extreme, std::size_t draws) {
  if (draws == 0) return std::nullopt;
  return (static_cast<double>(extreme) + 1) / (static_cast<double>(draws) + 1);
}

}  // namespace micius
