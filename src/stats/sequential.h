// Tests that stay valid however often one looks, and whenever one stops. The order of the questions must be
// fixed before any result is seen.
#pragma once

#include <cstddef>
#include <optional>

#include "stats/interval.h"

namespace micius {

// "A and B are equally often right" on pairs that come one by one. Of the discordant pairs A wins a share
// theta, 1/2 if they are equal; e is the likelihood ratio of a uniform mixture of theta against 1/2, a
// martingale of mean 1, so that the chance that it ever reaches 1 / alpha is at most alpha (Ville 1939;
// Robbins 1970, Ann. Math. Stat. 41:1397-1409). With b, c wins of A and B and m = b + c: e = 2^m b! c! /
// (m + 1)!. p = min(1, 1 / greatest e so far) is valid at any time (Johari, Koomen, Pekelis and Walsh 2022,
// Oper. Res. 70:1806-1821).
class MixtureSprt {
 public:
  enum class Pair { kOnlyA, kOnlyB, kSame };
  void add(Pair pair);

  double log_e() const { return log_e_; }
  double p() const;
  bool rejects(double alpha) const { return p() <= alpha; }

 private:
  std::size_t only_a_ = 0, only_b_ = 0;
  double log_e_ = 0, greatest_ = 0;
};

// ln e after that many wins of either side, in any order.
double mixture_log_e(std::size_t only_a, std::size_t only_b);
// All theta whose own e, B(b + 1, c + 1) / (theta^b (1 - theta)^c), stays below 1 / alpha.
Interval mixture_confidence(std::size_t only_a, std::size_t only_b, double alpha);

// The mean of any paired differences in [-1, 1], graded ones too, with an interval that holds at all times at
// once with the chance 1 - alpha: the predictable plug-in empirical Bernstein sequence (Waudby-Smith and
// Ramdas 2024, JRSS B 86:1-27, theorem 2; Howard, Ramdas, McAuliffe and Sekhon 2021, Ann. Stat.
// 49:1055-1080). Differences are mapped to x = (d + 1) / 2.
class EmpiricalBernstein {
 public:
  explicit EmpiricalBernstein(double alpha) : alpha_(alpha) {}
  void add(double difference);

  Interval interval() const { return interval_; }  // of what was added last
  Interval running() const { return running_; }    // what all intervals so far share

 private:
  double alpha_;
  double n_ = 0, sum_ = 0, squares_ = 0;          // of x, and of its distances to the mean at that time
  double lambdas_ = 0, weighted_ = 0, cost_ = 0;  // sums of lambda, lambda x and v psi(lambda)
  Interval interval_{-1, 1}, running_{-1, 1};
};

}  // namespace micius
