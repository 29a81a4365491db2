#include "stats/agreement.h"

#include <cmath>
#include <map>

namespace micius {
namespace {

// Shares of a table and its margins.
struct Shares {
  std::vector<std::vector<double>> cell;
  std::vector<double> row, column;
};

Shares shares_of(const Table& table, std::size_t n) {
  Shares s{{}, std::vector<double>(table.size()), std::vector<double>(table.size())};
  for (std::size_t i = 0; i < table.size(); ++i) {
    s.cell.emplace_back(table.size());
    for (std::size_t j = 0; j < table.size(); ++j) {
      s.cell[i][j] = static_cast<double>(table[i][j]) / static_cast<double>(n);
      s.row[i] += s.cell[i][j];
      s.column[j] += s.cell[i][j];
    }
  }
  return s;
}

template <typename Weight>
std::optional<double> kappa(const Shares& s, const Weight& weight) {
  double observed = 0, expected = 0;
  for (std::size_t i = 0; i < s.row.size(); ++i) {
    for (std::size_t j = 0; j < s.row.size(); ++j) {
      const double w = weight(std::abs(static_cast<double>(i) - static_cast<double>(j)));
      observed += w * s.cell[i][j];
      expected += w * s.row[i] * s.column[j];
    }
  }
  if (expected == 0) return std::nullopt;
  return 1 - observed / expected;
}

double kappa_error(const Shares& s, double kappa, std::size_t n) {
  double chance = 0, diagonal = 0, rest = 0;
  for (std::size_t i = 0; i < s.row.size(); ++i) {
    chance += s.row[i] * s.column[i];
    diagonal += s.cell[i][i] * std::pow(1 - (s.row[i] + s.column[i]) * (1 - kappa), 2);
    for (std::size_t j = 0; j < s.row.size(); ++j)
      if (i != j) rest += s.cell[i][j] * std::pow(s.column[i] + s.row[j], 2);
  }
  const double variance =
      diagonal + (1 - kappa) * (1 - kappa) * rest - std::pow(kappa - chance * (1 - kappa), 2);
  return std::sqrt(variance / static_cast<double>(n)) / (1 - chance);
}

using Counts = std::map<double, double>;  // how often a value is given

double ordinal_distance(const Counts& counts, double c, double k) {
  double between = -(counts.at(c) + counts.at(k)) / 2;
  for (auto it = counts.find(std::min(c, k)); it != counts.end() && it->first <= std::max(c, k); ++it)
    between += it->second;
  return between;
}

double squared_distance(Distance distance, const Counts& counts, double c, double k) {
  if (c == k) return 0;
  switch (distance) {
    case Distance::kNominal:
      return 1;
    case Distance::kOrdinal:
      return std::pow(ordinal_distance(counts, c, k), 2);
    case Distance::kInterval:
      return (c - k) * (c - k);
    case Distance::kRatio:
      return std::pow((c - k) / (c + k), 2);
  }
  return 0;
}

// The ratings of each item that has two or more.
std::vector<Counts> pairable(const std::vector<std::vector<std::optional<double>>>& ratings) {
  std::vector<Counts> items;
  const std::size_t count = ratings.empty() ? 0 : ratings.front().size();
  for (std::size_t item = 0; item < count; ++item) {
    Counts values;
    std::size_t given = 0;
    for (const auto& rater : ratings) {
      if (!rater[item]) continue;
      ++values[*rater[item]];
      ++given;
    }
    if (given > 1) items.push_back(std::move(values));
  }
  return items;
}

double sum_of(const Counts& counts) {
  double sum = 0;
  for (const auto& [value, n] : counts) sum += n;
  return sum;
}

}  // namespace

CohenKappa cohen_kappa(const Table& table) {
  CohenKappa result;
  for (const auto& row : table)
    for (const std::size_t count : row) result.n += count;
  if (result.n == 0) return result;
  const Shares s = shares_of(table, result.n);
  result.agreement = 0;
  for (std::size_t i = 0; i < table.size(); ++i) *result.agreement += s.cell[i][i];
  result.unweighted = kappa(s, [](double d) { return d > 0 ? 1.0 : 0.0; });
  result.linear = kappa(s, [](double d) { return d; });
  result.quadratic = kappa(s, [](double d) { return d * d; });
  if (result.unweighted) result.stderr_ = kappa_error(s, *result.unweighted, result.n);
  return result;
}

std::optional<double> fleiss_kappa(const Table& table) {
  if (table.empty()) return std::nullopt;
  double m = 0;
  for (const std::size_t n : table.front()) m += static_cast<double>(n);
  if (m < 2) return std::nullopt;
  const auto items = static_cast<double>(table.size());
  std::vector<double> shares(table.front().size());
  double agreement = 0;
  for (const auto& row : table) {
    double squares = 0;
    for (std::size_t j = 0; j < row.size(); ++j) {
      const auto n = static_cast<double>(row[j]);
      squares += n * n;
      shares[j] += n / (m * items);
    }
    agreement += (squares - m) / (m * (m - 1)) / items;
  }
  double chance = 0;
  for (const double share : shares) chance += share * share;
  if (chance >= 1 - 1e-12) return std::nullopt;
  return (agreement - chance) / (1 - chance);
}

std::optional<double> krippendorff_alpha(const std::vector<std::vector<std::optional<double>>>& ratings,
                                         Distance distance) {
  const std::vector<Counts> items = pairable(ratings);
  Counts all;
  for (const Counts& item : items)
    for (const auto& [value, n] : item) all[value] += n;
  double observed = 0, expected = 0;
  for (const Counts& item : items) {
    const double others = sum_of(item) - 1;
    for (const auto& [c, n_c] : item)
      for (const auto& [k, n_k] : item)
        observed += n_c * n_k / others * squared_distance(distance, all, c, k);
  }
  for (const auto& [c, n_c] : all)
    for (const auto& [k, n_k] : all) expected += n_c * n_k * squared_distance(distance, all, c, k);
  if (expected == 0) return std::nullopt;
  return 1 - (sum_of(all) - 1) * observed / expected;
}

}  // namespace micius
