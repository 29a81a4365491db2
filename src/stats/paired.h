// Two systems that answered the same questions, right or wrong.
#pragma once

#include <cstddef>
#include <optional>

#include "stats/interval.h"

namespace micius {

struct PairedCounts {
  std::size_t both = 0, only_a = 0, only_b = 0, neither = 0;  // who was right
  std::size_t n() const { return both + only_a + only_b + neither; }
  std::size_t discordant() const { return only_a + only_b; }
};

// Two-sided binomial test of `wins` among wins + losses at 1/2. exact = min(1, 2 P(X <= min)), the sign
// test's p and McNemar's exact one; log10_exact is there where exact is too small for a double. mid_p counts
// the chance of the observed table half (Lancaster 1961, JASA 56:223-234): 2 P(X < min) + P(X = min), 1 where
// wins = losses.
struct BinomialTest {
  double exact, log10_exact, mid_p;
};
BinomialTest binomial_test(std::size_t wins, std::size_t losses);

// McNemar's tests that A and B are equally often right (McNemar 1947, Psychometrika 12:153-157). Only the
// pairs that one alone got right count. mid_p has the level without being as careful as exact (Fagerland,
// Lydersen and Laake 2013, BMC Med. Res. Methodol. 13:91). The chi-square forms, with m = only_a + only_b:
// chi2 = (only_a - only_b)^2 / m, chi2_corrected = max(0, |only_a - only_b| - 1)^2 / m (Edwards 1948,
// Psychometrika 13:185-187), are for comparison with other tools, and absent for m = 0. Absent without pairs.
struct McNemar {
  BinomialTest binomial;
  std::optional<double> chi2, chi2_p, chi2_corrected, chi2_corrected_p;
};
std::optional<McNemar> mcnemar(const PairedCounts& counts);

// Intervals of the difference of the two shares of right answers, (only_a - only_b) / n. tango: all
// differences that the score test does not reject (Tango 1998, Stat. Med. 17:891-908, with the restricted
// estimate in closed form). newcombe: square-and-add of two Wilson intervals with their correlation (Newcombe
// 1998, Stat. Med. 17:2635-2650, method 10). wald: value +- z stderr, the mean interval of the differences
// -1, 0, 1; absent, as its stderr is, for one pair, and without spread.
struct PairedDifference {
  double value;
  std::optional<double> stderr_;
  Interval tango, newcombe;
  std::optional<Interval> wald;
};
std::optional<PairedDifference> paired_difference(const PairedCounts& counts, double level = 0.95);

}  // namespace micius
