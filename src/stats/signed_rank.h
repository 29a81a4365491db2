// Tests of paired differences that do not look at their sizes, or at their ranks alone. They ask whether the
// differences are symmetric about 0, not what their mean is: for scales that only order.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace micius {

// Pairs in which A is better against pairs in which B is; ties are left out (Dixon and Mood 1946, JASA
// 41:557-566). binomial_test() of them. Absent without pairs.
struct SignTest {
  std::size_t plus, minus, ties;
  double p;
};
std::optional<SignTest> sign_test(std::span<const double> differences);

// Wilcoxon's test (Wilcoxon 1945, Biometrics Bull. 1:80-83). Ranks of |difference|, equal ones share their
// mean rank; w_plus and w_minus are the sums of the ranks of positive and negative differences. Absent
// without pairs.
struct SignedRank {
  // z = (w_plus - mean) / sd with Cureton's tie correction (1967, JASA 62:1068-1069), p by the normal.
  struct Normal {
    double w_plus, z, p;
  };
  // How often, among all `total` patterns of signs of the ranks without zeros, w_plus is as small as it is or
  // smaller, or as great or greater: twice the smaller of the two counts.
  struct Exact {
    double extreme, total, p;
  };
  std::size_t n = 0, zeros = 0;
  bool ties = false;  // among the differences that are not 0
  double w_plus = 0, w_minus = 0;
  std::optional<Exact> exact;  // where at most kExactRanks differences are not 0
  // zeros dropped first; with Pratt's rule they are ranked and then dropped (1959, JASA 54:655-667). The
  // corrected forms have |w_plus - mean| smaller by 1/2. Absent where all differences are 0.
  std::optional<Normal> wilcox, wilcox_corrected, pratt, pratt_corrected;
};
inline constexpr std::size_t kExactRanks = 40;
std::optional<SignedRank> signed_rank(std::span<const double> differences);

}  // namespace micius
