#include "stats/quantile.h"

#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>

namespace micius {

double normal_quantile(double p) { return boost::math::quantile(boost::math::normal(), p); }

double t_quantile(double p, double df) { return boost::math::quantile(boost::math::students_t(df), p); }

}  // namespace micius
