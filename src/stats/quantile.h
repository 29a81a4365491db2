// Quantiles of the distributions that intervals are made of.
#pragma once

namespace micius {

double normal_quantile(double p);        // 0 < p < 1
double t_quantile(double p, double df);  // 0 < p < 1, df > 0

}  // namespace micius
