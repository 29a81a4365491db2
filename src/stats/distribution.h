// The distributions that intervals and tests are made of.
#pragma once

#include <cstddef>

namespace micius {

double normal_cdf(double z);
double normal_two_sided(double z);                      // the chance of |Z| >= |z|
double normal_quantile(double p);                       // 0 < p < 1
inline constexpr double kNormal95 = 1.959963984540054;  // normal_quantile(0.975), of a 95 % interval
double t_quantile(double p, double df);                 // 0 < p < 1, df > 0
double t_two_sided(double t, double df);
double noncentral_t_cdf(double t, double df, double shift);
double beta_quantile(double p, double a, double b);  // 0 < p < 1, a, b > 0
double log_beta(double a, double b);
double binomial_cdf(std::size_t k, std::size_t n, double p);  // the chance of k or fewer

}  // namespace micius
