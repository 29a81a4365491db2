// How many samples an effect needs, and which effect a number of samples can show.
#pragma once

#include <cstddef>
#include <optional>

namespace micius {

struct PowerOptions {
  double alpha = 0.05;  // level of the two-sided test
  double power = 0.8;   // the chance to find the effect that is there
};

// The chances that of a pair A alone is right, and B alone. share() is how often they differ, gap() by how
// much A is better.
struct PairedRates {
  double only_a, only_b;
  double share() const { return only_a + only_b; }
  double gap() const { return only_a - only_b; }
};

// Pairs, not rounded, that McNemar's test needs; with psi = share, d = gap:
// connor: ((z_a sqrt(psi) + z_b sqrt(psi - d^2)) / d)^2 (Connor 1987, Biometrics 43:207-211);
// miettinen: (z_a psi + z_b sqrt(psi^2 - d^2 (3 + psi) / 4))^2 / (psi d^2) (1968, Biometrics 24:339-352).
// z_a and z_b are the normal quantiles at 1 - alpha / 2 and at the power. Absent for no gap.
std::optional<double> connor_pairs(const PairedRates& rates, const PowerOptions& options = {});
std::optional<double> miettinen_pairs(const PairedRates& rates, const PowerOptions& options = {});

// Power of McNemar's test with n pairs. connor: by the normal, the far tail left out; two_tails: with it.
// exact and exact_mid_p: of those tests themselves, summed over all tables (as Duffy 1984, Biometrics
// 40:1005-1015). A gap is there.
struct McNemarPower {
  double connor, connor_two_tails, exact, exact_mid_p;
};
McNemarPower mcnemar_power(std::size_t n, const PairedRates& rates, double alpha = 0.05);

// The smallest true difference that n pairs find with the power. By Connor's formula solved for d where a
// share of pairs differs; absent where more than that share would have to. By the normal, (z_a + z_b) sd /
// sqrt(n) (Miller 2024, arXiv 2411.00640, section 5), and by the noncentral t (Cohen 1988) from the standard
// deviation of the differences; absent without spread and for n < 2.
std::optional<double> detectable_gap(std::size_t n, double share, const PowerOptions& options = {});
std::optional<double> detectable_mean_normal(std::size_t n, double sd, const PowerOptions& options = {});
std::optional<double> detectable_mean_t(std::size_t n, double sd, const PowerOptions& options = {});
// Pairs, not rounded, that a mean difference needs: ((z_a + z_b) sd / d)^2. Absent for no difference.
std::optional<double> pairs_for_mean(double difference, double sd, const PowerOptions& options = {});

}  // namespace micius
