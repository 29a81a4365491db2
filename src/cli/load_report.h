// What `micius bench load` prints.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/load_client.h"

namespace micius {

struct LoadLimits {
  std::optional<double> ttft_ms, itl_ms, e2e_ms;  // of one request; itl: the mean of its gaps
  bool any() const { return ttft_ms || itl_ms || e2e_ms; }
};

struct LoadSettings {
  std::string url, model, arrivals;  // "poisson", ..., or "closed" for a fixed number of clients
  std::optional<double> rate;        // requests a second
  std::optional<std::size_t> concurrency;
  std::size_t seed = 0, planned = 0;  // requests of the plan
  LoadLimits limits;
};

// `wall`: from the first planned time to the last end. Percentiles are of requests that were answered whole;
// goodput counts the others as failed.
Json load_json(const LoadSettings& settings, const std::vector<LoadSample>& samples,
               std::chrono::nanoseconds wall);
// The same for people.
std::string load_text(const Json& report);

}  // namespace micius
