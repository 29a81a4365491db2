#include "pipeline/load_plan.h"

#include <cassert>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "base/rng.h"

namespace micius {
namespace {

constexpr std::string_view kNames[] = {"poisson", "constant", "ramp"};

double seconds_of(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// Requests that have come after `t` seconds in the mean, turned round: the time of the `sum`-th.
class Clockwork {
 public:
  explicit Clockwork(const LoadPlan& plan) : rate_(plan.rate) {
    if (plan.arrivals != Arrivals::kRamp) return;
    first_ = plan.first_rate;
    length_ = plan.duration ? seconds_of(*plan.duration)
                            : 2 * static_cast<double>(plan.requests.value_or(0)) / (first_ + rate_);
  }

  // Of first t + (rate - first) t^2 / (2 length) = sum; behind the ramp the rate stays.
  double time_of(double sum) const {
    if (length_ == 0) return sum / rate_;
    const double whole = length_ * (first_ + rate_) / 2;
    if (sum >= whole) return length_ + (sum - whole) / rate_;
    const double slope = (rate_ - first_) / length_;
    return 2 * sum /
           (first_ + std::sqrt(first_ * first_ + 2 * slope * sum));  // no difference of like numbers
  }

 private:
  double rate_, first_ = 0, length_ = 0;
};

}  // namespace

std::string_view arrivals_name(Arrivals arrivals) { return kNames[static_cast<std::size_t>(arrivals)]; }

Arrivals arrivals_from(std::string_view name) {
  for (const Arrivals arrivals : {Arrivals::kPoisson, Arrivals::kConstant, Arrivals::kRamp}) {
    if (name == arrivals_name(arrivals)) return arrivals;
  }
  fail(ErrorCode::kUsage, "unknown arrivals '{}'; there are poisson, constant and ramp", name);
}

std::vector<std::chrono::nanoseconds> send_times(const LoadPlan& plan) {
  assert(plan.rate > 0 && (plan.requests || plan.duration));
  const double end = plan.duration ? seconds_of(*plan.duration) : std::numeric_limits<double>::infinity();
  const std::size_t most = plan.requests.value_or(std::numeric_limits<std::size_t>::max());
  const Clockwork clockwork(plan);
  Rng rng(plan.stream + "/arrivals");
  std::vector<std::chrono::nanoseconds> times;
  double sum = 0;
  while (times.size() < most) {
    if (plan.arrivals == Arrivals::kConstant) {
      sum = static_cast<double>(times.size());
    } else {
      sum -= std::log(1 - rng.uniform());
    }
    const double time = clockwork.time_of(sum);
    if (time >= end) break;
    times.emplace_back(std::llround(time * 1e9));
  }
  return times;
}

}  // namespace micius
