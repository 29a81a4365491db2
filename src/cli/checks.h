// Checks of numbers that a user gives.
#pragma once

#include <CLI/CLI.hpp>

namespace micius {

// A whole number of at least `least`: "must be a whole number of at least 1, not 'x'".
CLI::Validator whole_number(long least);
// A finite number from `low` to `high`.
CLI::Validator number_within(double low, double high);

}  // namespace micius
