#include "quotas.h"

#include <algorithm>
#include <numeric>

namespace micius::aimicius {
namespace {

const std::vector<std::pair<std::string, double>>& group_shares() {
  static const std::vector<std::pair<std::string, double>> shares = {
      {"single", 40}, {"compare", 25}, {"criterion", 15}, {"sku", 12}, {"vague", 8}};
  return shares;
}

constexpr double kMatchShares[] = {16, 34, 25, 15, 10};

}  // namespace

std::vector<std::size_t> apportion(std::size_t total, const std::vector<double>& shares) {
  const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
  std::vector<std::size_t> parts(shares.size());
  std::vector<std::pair<double, std::size_t>> rest;
  std::size_t given = 0;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    const double exact = static_cast<double>(total) * shares[i] / sum;
    parts[i] = static_cast<std::size_t>(exact);
    given += parts[i];
    rest.emplace_back(static_cast<double>(parts[i]) - exact, i);
  }
  std::sort(rest.begin(), rest.end());
  for (std::size_t i = 0; given + i < total; ++i) ++parts[rest[i].second];
  return parts;
}

std::size_t cases_of(Split split) {
  switch (split) {
    case Split::kTest:
      return 960;
    case Split::kDev:
      return 60;
    case Split::kTuning:
      return 500;
    case Split::kRobust:
      return 400;  // two phrasings for each of 200 test cases
  }
  return 0;
}

std::map<std::string, std::size_t> cases_by_group(std::size_t total) {
  std::vector<double> shares;
  for (const auto& [group, share] : group_shares()) shares.push_back(share);
  const std::vector<std::size_t> parts = apportion(total, shares);
  std::map<std::string, std::size_t> counts;
  for (std::size_t i = 0; i < parts.size(); ++i) counts[group_shares()[i].first] = parts[i];
  return counts;
}

std::map<std::string, std::vector<std::size_t>> matches_by_group(std::size_t total, Rng& rng) {
  const std::vector<double> shares(std::begin(kMatchShares), std::end(kMatchShares));
  std::vector<double> compared = shares;
  compared[1] = 0;
  // None keeps its share among comparisons; two to four share the rest.
  compared[0] = shares[0] / (100 - shares[0]) * (shares[2] + shares[3] + shares[4]);
  const auto groups = cases_by_group(total);
  std::vector<std::size_t> left = apportion(total, shares);
  std::map<std::string, std::vector<std::size_t>> matches;
  const std::vector<std::size_t> of_compare = apportion(groups.at("compare"), compared);
  for (std::size_t k = 0; k < left.size(); ++k) {
    matches["compare"].insert(matches["compare"].end(), of_compare[k], k);
    left[k] -= std::min(left[k], of_compare[k]);
  }
  std::vector<std::size_t> rest;
  for (std::size_t k = 0; k < left.size(); ++k) rest.insert(rest.end(), left[k], k);
  rng.shuffle(rest);
  rng.shuffle(matches["compare"]);
  std::size_t at = 0;
  for (const auto& [group, count] : groups) {
    if (group == "compare") continue;
    for (std::size_t i = 0; i < count; ++i) matches[group].push_back(rest.at(at++));
  }
  return matches;
}

}  // namespace micius::aimicius
