#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "nl2kql.h"

namespace micius::aimicius::nl2kql {
namespace {

constexpr double kEditDistance = 0.15;

// Is the edit distance of the two below `limit`? Looks at a band of that width only.
bool within(const std::string& a, const std::string& b, std::size_t limit) {
  if ((a.size() > b.size() ? a.size() - b.size() : b.size() - a.size()) >= limit) return false;
  const std::size_t far = limit + 1;
  std::vector<std::size_t> row(b.size() + 1, far), last(b.size() + 1, far);
  for (std::size_t j = 0; j <= std::min(b.size(), limit); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    const std::size_t from = i > limit ? i - limit : 0, to = std::min(b.size(), i + limit);
    std::fill(row.begin(), row.end(), far);
    std::size_t best = far;
    for (std::size_t j = from; j <= to; ++j) {
      if (j == 0) {
        row[0] = i;
      } else {
        const std::size_t change = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
        row[j] = std::min({change, last[j] + 1, row[j - 1] + 1});
      }
      best = std::min(best, row[j]);
    }
    if (best >= limit) return false;
    std::swap(row, last);
  }
  return last[b.size()] < limit;
}

// A slot is one letter, so that its name counts no more than a value would.
std::string with_short_slots(const std::string& shape) {
  std::string out;
  for (std::size_t at = 0; at < shape.size(); ++at) {
    out += shape[at];
    if (shape[at] == '{') at = std::min(shape.find('}', at), shape.size() - 1);
  }
  return out;
}

void lint_question(const Item& item, std::set<std::string>& asked) {
  const std::size_t words = split_words(item.question).size();
  const std::string what = fmt::format("{} '{}'", item.id, item.question);
  if (words < kFewestWords || words > kMostWords)
    fail(ErrorCode::kInvalidData, "{}: {} words, not {} to {}", what, words, kFewestWords, kMostWords);
  if (item.question.find_first_of("{}") != std::string::npos)
    fail(ErrorCode::kInvalidData, "{}: an open slot", what);
  if (!asked.insert(lower_ascii(item.question)).second)
    fail(ErrorCode::kInvalidData, "{}: asked twice", what);
}

void lint_query(const Item& item, const Catalog& catalog) {
  const Facts& facts = item.facts;
  const std::string what = fmt::format("{} '{}'", item.id, item.query);
  if (facts.clusters.empty() || facts.databases.empty() || facts.tables.empty())
    fail(ErrorCode::kInvalidData, "{}: names no cluster, database or table", what);
  for (const std::string& name : facts.tables) {
    const bool known = std::any_of(facts.databases.begin(), facts.databases.end(), [&](const std::string& d) {
      const Table* table = catalog.table(d, name);
      return table != nullptr &&
             std::find(facts.clusters.begin(), facts.clusters.end(), table->cluster) != facts.clusters.end();
    });
    if (!known) fail(ErrorCode::kInvalidData, "{}: no table '{}' where it says", what, name);
  }
  for (const std::string& name : facts.columns) {
    const bool known = std::any_of(catalog.tables().begin(), catalog.tables().end(), [&](const Table& table) {
      return table.column(name) != nullptr &&
             std::find(facts.tables.begin(), facts.tables.end(), table.name) != facts.tables.end();
    });
    if (!known) fail(ErrorCode::kInvalidData, "{}: none of its tables has a column '{}'", what, name);
  }
  for (const std::string& name : facts.created) {
    if (catalog.has_column(name)) fail(ErrorCode::kInvalidData, "{}: makes '{}' anew", what, name);
  }
}

void lint_keys(const ItemSplits& splits) {
  std::map<std::string, Split> combos;
  for (const auto& [split, items] : splits) {
    if (split == Split::kRobust) continue;
    for (const Item& item : items) {
      if (combos.try_emplace(item.combo, split).first->second != split)
        fail(ErrorCode::kInvalidData, "{}: {} is in two splits", item.id, item.combo);
      const bool test_only = item.family.back() >= '7' && item.source == "generated";
      if (split != Split::kTest && test_only)
        fail(ErrorCode::kInvalidData, "{}: family {} is the test's alone", item.id, item.family);
    }
  }
}

std::set<std::string> shapes_of(const ItemSplits& splits, const std::vector<Split>& wanted) {
  std::set<std::string> shapes;
  for (const Split split : wanted) {
    const auto it = splits.find(split);
    if (it == splits.end()) continue;
    for (const Item& item : it->second) shapes.insert(with_short_slots(item.shape));
  }
  return shapes;
}

void lint_distance(const ItemSplits& splits) {
  const auto tuning = shapes_of(splits, {Split::kTuning, Split::kDev});
  std::string found;
  for (const std::string& test : shapes_of(splits, {Split::kTest, Split::kRobust})) {
    const auto limit = static_cast<std::size_t>(kEditDistance * static_cast<double>(test.size())) + 1;
    for (const std::string& other : tuning) {
      if (within(test, other, limit)) found += fmt::format("\n  test '{}', tuning '{}'", test, other);
    }
  }
  if (!found.empty()) fail(ErrorCode::kInvalidData, "nl2kql: questions that are too near:{}", found);
}

}  // namespace

void lint_items(const ItemSplits& splits, const Catalog& catalog) {
  std::set<std::string> asked;
  for (const auto& [split, items] : splits) {
    for (const Item& item : items) {
      lint_question(item, asked);
      lint_query(item, catalog);
    }
  }
  lint_keys(splits);
  lint_distance(splits);
}

}  // namespace micius::aimicius::nl2kql
