#include <algorithm>

#include "stats/bootstrap.h"
#include "stats/bradley_terry.h"
#include "stats/mean.h"
#include "stats/proportion.h"
#include "stats/sequential.h"
#include "stats/simulation_internal.h"
#include "stats/two_samples.h"

namespace micius {
namespace {

constexpr Interval kPromise{0.935, 0.965};
constexpr Interval kAtLeast{0.95, 1};
constexpr std::size_t kDraws = 1000;  // of a bootstrap

using Rows = std::vector<Simulated>;

void add_shares(std::size_t rounds, Rows& rows) {
  const auto anywhere = [](Rng& rng) { return 0.05 + 0.9 * rng.uniform(); };
  for (const std::size_t n : {40u, 200u, 1000u}) {
    const std::string setting = fmt::format("n = {}, share uniform in 0.05 .. 0.95", n);
    rows.push_back(simulate("Wilson", setting, rounds, kPromise, [&](Rng& rng) {
      const double p = anywhere(rng);
      return wilson(draw_hits(rng, n, p), n).holds(p);
    }));
    rows.push_back(simulate("Clopper-Pearson", setting, rounds, kAtLeast, [&](Rng& rng) {
      const double p = anywhere(rng);
      return clopper_pearson(draw_hits(rng, n, p), n).holds(p);
    }));
  }
  rows.push_back(simulate("Jeffreys", "n = 40, share from its prior", rounds, kPromise, [](Rng& rng) {
    const double p = std::pow(std::sin(std::numbers::pi / 2 * rng.uniform()), 2);
    return jeffreys(draw_hits(rng, 40, p), 40).holds(p);
  }));
}

void add_means(std::size_t rounds, Rows& rows) {
  const auto normals = [](Rng& rng, std::size_t n) {
    std::vector<double> x;
    for (std::size_t i = 0; i < n; ++i) x.push_back(draw_normal(rng));
    return x;
  };
  rows.push_back(simulate("t", "mean of 10 normal values", rounds, kPromise,
                          [&](Rng& rng) { return mean_interval(normals(rng, 10)).t->holds(0); }));
  rows.push_back(simulate("t", "mean of 60 grades, 0 .. 4 of 4", rounds, kPromise, [](Rng& rng) {
    std::vector<double> x;
    for (std::size_t i = 0; i < 60; ++i) x.push_back(static_cast<double>(rng.below(5)) / 4);
    return mean_interval(x).t->holds(0.5);
  }));
  rows.push_back(simulate("normal", "mean of 200 normal values", rounds, kPromise,
                          [&](Rng& rng) { return mean_interval(normals(rng, 200)).normal->holds(0); }));
  for (const std::size_t clusters : {20u, 100u}) {
    rows.push_back(simulate("CR1, t", fmt::format("{} clusters of 5, correlation 0.3", clusters), rounds,
                            kPromise, [&](Rng& rng) {
                              const Clustered x = draw_clusters(rng, clusters, 5);
                              return cluster_mean(x.values, x.clusters).t->holds(0);
                            }));
  }
}

void add_differences(std::size_t rounds, Rows& rows) {
  for (const std::size_t n : {100u, 500u}) {
    const std::string setting = fmt::format("{} pairs, A alone 0.15, B alone 0.10", n);
    rows.push_back(simulate("Tango", setting, rounds, kPromise, [&](Rng& rng) {
      return paired_difference(draw_pairs(rng, n, 0.15, 0.1))->tango.holds(0.05);
    }));
    rows.push_back(simulate("Newcombe, paired", setting, rounds, kPromise, [&](Rng& rng) {
      return paired_difference(draw_pairs(rng, n, 0.15, 0.1))->newcombe.holds(0.05);
    }));
  }
  rows.push_back(
      simulate("Newcombe, two samples", "200 at 0.6 against 150 at 0.5", rounds, kPromise, [](Rng& rng) {
        const Share a{draw_hits(rng, 200, 0.6), 200}, b{draw_hits(rng, 150, 0.5), 150};
        return compare_shares(a, b)->newcombe.holds(0.1);
      }));
}

// A stream of its own for every round.
Resampling resampling(Rng& rng) { return {kDraws, fmt::format("{}", rng())}; }

void add_bootstraps(std::size_t rounds, Rows& rows) {
  rows.push_back(simulate("BCa, mean", "200 exponential values", rounds, kPromise, [](Rng& rng) {
    std::vector<double> x;
    for (std::size_t i = 0; i < 200; ++i) x.push_back(-std::log(1 - rng.uniform()));
    return bootstrap_mean(x, {}, resampling(rng)).bca->holds(1);
  }));
  rows.push_back(
      simulate("BCa, paired", "300 graded pairs, mean difference 0.1", rounds, kPromise, [](Rng& rng) {
        std::vector<double> x;
        for (std::size_t i = 0; i < 300; ++i) x.push_back(0.1 + (static_cast<double>(rng.below(9)) - 4) / 4);
        return bootstrap_mean(x, {}, resampling(rng)).bca->holds(0.1);
      }));
  rows.push_back(
      simulate("BCa, clusters", "100 clusters of 5, correlation 0.3", rounds, kPromise, [](Rng& rng) {
        const Clustered x = draw_clusters(rng, 100, 5);
        return bootstrap_mean(x.values, x.clusters, resampling(rng)).bca->holds(0);
      }));
}

constexpr std::size_t kModels = 3, kDifficulties = 5;

// How likely model m answers a question of that difficulty.
double chance_of(std::size_t model, std::size_t difficulty) {
  return 1 / (1 + std::exp(static_cast<double>(difficulty) - 2 - 0.5 * static_cast<double>(model)));
}

double true_gap() {
  std::vector<std::vector<double>> wins(kModels, std::vector<double>(kModels));
  for (std::size_t i = 0; i < kModels; ++i)
    for (std::size_t j = 0; j < kModels; ++j)
      for (std::size_t d = 0; d < kDifficulties; ++d)
        if (i != j) wins[i][j] += chance_of(i, d) * (1 - chance_of(j, d));
  const auto truth = bradley_terry(wins);
  return truth->strength[2] - truth->strength[0];
}

void add_rankings(std::size_t rounds, Rows& rows) {
  const auto holds = [](const std::optional<BradleyTerry>& got, double gap) {
    if (!got) return false;
    const double half = 1.959963984540054 * got->difference_stderr[2][0];
    return std::abs(got->strength[2] - got->strength[0] - gap) <= half;
  };
  rows.push_back(simulate("Bradley-Terry", "3 models, 100 games a pair", rounds, kPromise, [&](Rng& rng) {
    std::vector<std::vector<double>> wins(kModels, std::vector<double>(kModels));
    for (std::size_t i = 0; i < kModels; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double p = 1 / (1 + std::exp(0.4 * (static_cast<double>(j) - static_cast<double>(i))));
        wins[i][j] = static_cast<double>(draw_hits(rng, 100, p));
        wins[j][i] = 100 - wins[i][j];
      }
    }
    return holds(bradley_terry(wins), 0.8);
  }));
  const double gap = true_gap();
  rows.push_back(simulate("Bradley-Terry, shared questions", "3 models, 300 questions, 5 difficulties",
                          rounds, kPromise, [&](Rng& rng) {
                            std::vector<std::vector<double>> scores(kModels);
                            for (std::size_t s = 0; s < 300; ++s) {
                              const std::size_t difficulty = rng.below(kDifficulties);
                              for (std::size_t m = 0; m < kModels; ++m)
                                scores[m].push_back(rng.uniform() < chance_of(m, difficulty) ? 1 : 0);
                            }
                            return holds(bradley_terry_of_scores(scores, {}), gap);
                          }));
}

void add_sequences(std::size_t rounds, Rows& rows) {
  rows.push_back(simulate("empirical Bernstein, at all times", "1,000 graded pairs, mean 0.1", rounds,
                          kAtLeast, [](Rng& rng) {
                            EmpiricalBernstein sequence(0.05);
                            for (std::size_t i = 0; i < 1000; ++i)
                              sequence.add(std::clamp(0.1 + 0.4 * (2 * rng.uniform() - 1), -1.0, 1.0));
                            return sequence.running().holds(0.1);
                          }));
}

}  // namespace

std::vector<Simulated> simulated_coverage(std::size_t rounds) {
  Rows rows;
  add_shares(rounds, rows);
  add_means(rounds, rows);
  add_differences(rounds, rows);
  add_bootstraps(std::max<std::size_t>(rounds / 4, 250), rows);
  add_rankings(rounds, rows);
  add_sequences(rounds, rows);
  return rows;
}

}  // namespace micius
