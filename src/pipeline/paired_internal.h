// The statistics of paired samples: what compare() says of one pair of runs, or of a group of their samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/comparison.h"
#include "core/sample.h"
#include "stats/paired.h"

namespace micius {

// The values of the pairs. `clusters` is empty where no two samples share one.
struct Paired {
  std::vector<double> a, b, difference;
  std::vector<std::uint32_t> clusters;
};

// Is every value 0 or 1?
bool is_binary(const Paired& paired);

// Which cluster each sample is in; a sample that names none is one of its own. Empty where none is shared.
std::vector<std::uint32_t> clusters_of(const std::string& field, const std::vector<const Sample*>& samples);

// The mean of one side's values.
std::optional<Estimate> side_estimate(const std::vector<double>& values, const Paired& paired,
                                      const MetricInfo& metric);

PairedCounts counts_of(const Paired& paired);  // of binary values

// The difference and the way its interval is made.
std::pair<Estimate, std::string> difference_of(const Paired& paired);

// The one that decides first. `stream` names the random stream of sign flips.
std::vector<PairedTest> tests_of(const Paired& paired, const std::string& stream);

std::optional<double> detectable_of(const Paired& paired, const Estimate& difference);

// BCa's interval; absent for no draws.
std::optional<Estimate> bootstrap_of(const Paired& paired, const std::string& stream, std::size_t draws);

// The pairs at these places alone.
Paired part_of(const Paired& paired, const std::vector<std::size_t>& members);

}  // namespace micius
