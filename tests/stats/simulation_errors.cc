#include <algorithm>
#include <map>

#include "stats/multiplicity.h"
#include "stats/permutation.h"
#include "stats/power.h"
#include "stats/sequential.h"
#include "stats/signed_rank.h"
#include "stats/simulation_internal.h"

namespace micius {
namespace {

constexpr double kLevel = 0.05;
constexpr Interval kAtMost{0, kLevel};

using Rows = std::vector<Simulated>;

// Summed over all tables, not drawn.
void add_mcnemar(Rows& rows) {
  for (const std::size_t n : {50u, 200u, 1000u}) {
    for (const double share : {0.1, 0.3}) {
      const std::string setting = fmt::format("{} pairs, {:.0f} % differ", n, 100 * share);
      const McNemarPower error = mcnemar_power(n, {share / 2, share / 2}, kLevel);
      rows.push_back({"McNemar, exact", setting, error.exact, 0, kAtMost.low, kAtMost.high});
      rows.push_back({"McNemar, mid-p", setting, error.exact_mid_p, 0, kAtMost.low, kAtMost.high});
    }
  }
  const PairedRates rates{0.11, 0.09};
  const auto n = static_cast<std::size_t>(std::ceil(*connor_pairs(rates)));
  rows.push_back({"power of sample-size", fmt::format("{} pairs for 2 points, 20 % differ", n),
                  mcnemar_power(n, rates, kLevel).exact_mid_p, 0, 0.79, 0.82});
}

// Symmetric around 0, with ties and zeros.
std::vector<double> graded(Rng& rng, std::size_t n) {
  std::vector<double> d;
  for (std::size_t i = 0; i < n; ++i)
    d.push_back((static_cast<double>(rng.below(5)) - static_cast<double>(rng.below(5))) / 4);
  return d;
}

std::vector<double> smooth(Rng& rng, std::size_t n) {
  std::vector<double> d;
  for (std::size_t i = 0; i < n; ++i) d.push_back(draw_normal(rng));
  return d;
}

void add_paired(std::size_t rounds, Rows& rows) {
  rows.push_back(simulate("sign test", "40 graded pairs", rounds, kAtMost,
                          [](Rng& rng) { return sign_test(graded(rng, 40))->p <= kLevel; }));
  rows.push_back(simulate("Wilcoxon, exact", "20 normal differences", rounds, kAtMost,
                          [](Rng& rng) { return signed_rank(smooth(rng, 20))->exact->p <= kLevel; }));
  rows.push_back(
      simulate("Wilcoxon, normal, corrected", "100 graded pairs, zeros ranked", rounds, kAtMost,
               [](Rng& rng) { return signed_rank(graded(rng, 100))->pratt_corrected->p <= kLevel; }));
  rows.push_back(simulate("sign flips, all patterns", "12 graded pairs", rounds, kAtMost,
                          [](Rng& rng) { return sign_flips(graded(rng, 12))->p <= kLevel; }));
  rows.push_back(simulate("sign flips, 999 patterns", "100 graded pairs", rounds, kAtMost, [](Rng& rng) {
    return sign_flips(graded(rng, 100), {999, fmt::format("{}", rng())})->p <= kLevel;
  }));
  rows.push_back(
      simulate("sign flips of clusters", "30 clusters of 5, correlation 0.3", rounds, kAtMost, [](Rng& rng) {
        const Clustered x = draw_clusters(rng, 30, 5);
        std::vector<double> sums(30);
        for (std::size_t i = 0; i < x.values.size(); ++i) sums[x.clusters[i]] += x.values[i];
        return sign_flips(sums, {999, fmt::format("{}", rng())})->p <= kLevel;
      }));
}

// p-values of ten tasks, of which the first `equal` have no difference and the others a clear one.
PValues ten_tasks(Rng& rng, std::size_t equal) {
  PValues p;
  for (std::size_t i = 0; i < 10; ++i) {
    const PairedCounts counts = draw_pairs(rng, 400, i < equal ? 0.1 : 0.16, i < equal ? 0.1 : 0.06);
    p.emplace_back(mcnemar(counts)->binomial.mid_p);
  }
  return p;
}

void add_families(std::size_t rounds, Rows& rows) {
  rows.push_back(
      simulate("Holm, any false finding", "10 tasks, 6 without a difference", rounds, kAtMost, [](Rng& rng) {
        const PValues p = holm(ten_tasks(rng, 6));
        return std::any_of(p.begin(), p.begin() + 6, [](const auto& x) { return *x <= kLevel; });
      }));
  // A share of false ones among the findings: one of them is drawn.
  rows.push_back(simulate("Benjamini-Hochberg, false share", "10 tasks, 6 without a difference", rounds,
                          kAtMost, [](Rng& rng) {
                            const PValues p = benjamini_hochberg(ten_tasks(rng, 6));
                            std::vector<std::size_t> found;
                            for (std::size_t i = 0; i < p.size(); ++i)
                              if (*p[i] <= kLevel) found.push_back(i);
                            return !found.empty() && found[rng.below(found.size())] < 6;
                          }));
}

void add_sequential(std::size_t rounds, Rows& rows) {
  for (const double share : {0.1, 0.3, 1.0}) {
    rows.push_back(
        simulate("mixture SPRT, looked at after every pair",
                 fmt::format("1,000 pairs, {:.0f} % differ", 100 * share), rounds, kAtMost, [&](Rng& rng) {
                   MixtureSprt test;
                   for (std::size_t i = 0; i < 1000; ++i) {
                     const double u = rng.uniform();
                     if (u < share)
                       test.add(u < share / 2 ? MixtureSprt::Pair::kOnlyA : MixtureSprt::Pair::kOnlyB);
                   }
                   return test.rejects(kLevel);
                 }));
  }
}

}  // namespace

std::vector<Simulated> simulated_errors(std::size_t rounds) {
  Rows rows;
  add_mcnemar(rows);
  add_paired(rounds, rows);
  add_families(rounds, rows);
  add_sequential(std::max<std::size_t>(rounds / 4, 250), rows);
  return rows;
}

}  // namespace micius
