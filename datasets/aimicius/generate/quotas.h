// How many cases of which kind a split has.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/rng.h"
#include "phrasings.h"

namespace micius::aimicius {

// Whole numbers in proportion to the shares that add up to `total`: largest remainders first.
std::vector<std::size_t> apportion(std::size_t total, const std::vector<double>& shares);

std::size_t cases_of(Split split);

// Cases by class: single 40 %, compare 25 %, criterion 15 %, sku 12 %, vague 8 %.
std::map<std::string, std::size_t> cases_by_group(std::size_t total);

// For each class the number of fitting records of its cases, in random order. Over the whole split: none
// 16 %, one 34 %, two 25 %, three 15 %, four 10 %. A comparison has none or at least one of each side, so
// never one; the other classes make up for it.
std::map<std::string, std::vector<std::size_t>> matches_by_group(std::size_t total, Rng& rng);

}  // namespace micius::aimicius
