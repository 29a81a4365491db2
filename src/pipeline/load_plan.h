// When the requests of a speed run are sent: a plan made beforehand, so that a slow server cannot hold it up
// (open loop, as MLPerf's LoadGen has it).
#pragma once

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

enum class Arrivals {
  kPoisson,   // independent clients: exponential gaps
  kConstant,  // equal gaps
  kRamp,      // independent clients, more and more of them: the rate rises in a line
};
std::string_view arrivals_name(Arrivals arrivals);
Arrivals arrivals_from(std::string_view name);  // throws Error{kUsage} with the names

struct LoadPlan {
  Arrivals arrivals = Arrivals::kPoisson;
  double rate = 1;        // requests a second; of a ramp, at its end
  double first_rate = 0;  // of a ramp, at its begin
  // One of them at least; with both, the plan ends with what comes first. A ramp lasts as long as `duration`
  // says, else for as long as so many requests take in the mean.
  std::optional<std::size_t> requests;
  std::optional<std::chrono::nanoseconds> duration;
  std::string stream;  // names the random stream; the same name gives the same plan
};

// The time of each request from the begin of the run, rising. A ramp's times are those at which the integral
// of the rate reaches the sums of exponential variables of mean 1 (Cinlar 1975, Introduction to Stochastic
// Processes, section 4.7), so that it is a Poisson process of that rate. rate > 0.
std::vector<std::chrono::nanoseconds> send_times(const LoadPlan& plan);

}  // namespace micius
