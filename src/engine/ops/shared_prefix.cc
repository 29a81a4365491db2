#include "engine/ops/shared_prefix.h"

#include <algorithm>
#include <utility>

namespace micius {
namespace {

class PrefixTree {
 public:
  PrefixTree(std::span<const DecodeSequence> sequences, std::span<const std::uint32_t> table,
             std::size_t least_pages)
      : sequences_(sequences), table_(table), least_pages_(least_pages) {}

  std::vector<SharedPrefix> prefixes() {
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < sequences_.size(); ++row) {
      if (sequences_[row].begin == 0) rows.push_back(row);
    }
    std::stable_sort(rows.begin(), rows.end(), [&](std::uint32_t a, std::uint32_t b) {
      const auto x = pages(a), y = pages(b);
      return std::lexicographical_compare(x.begin(), x.end(), y.begin(), y.end());
    });
    add(rows, 0);
    return std::move(prefixes_);
  }

 private:
  // In front of that of the new token.
  std::span<const std::uint32_t> pages(std::uint32_t row) const {
    return table_.subspan(sequences_[row].first_page, (sequences_[row].end - 1) / kPageTokens);
  }

  // Of sorted rows, which are read together up to page `from`.
  void add(std::span<const std::uint32_t> rows, std::size_t from) {
    if (rows.size() < 2) return;
    const auto first = pages(rows.front()), last = pages(rows.back());
    const auto common = static_cast<std::size_t>(
        std::mismatch(first.begin(), first.end(), last.begin(), last.end()).first - first.begin());
    if (common > from && (rows.size() - 1) * (common - from) >= least_pages_) {
      prefixes_.push_back({sequences_[rows.front()].first_page,
                           static_cast<std::uint32_t>(from * kPageTokens),
                           static_cast<std::uint32_t>(common * kPageTokens),
                           {rows.begin(), rows.end()}});
      from = common;
    }
    // Those that have no more pages stand in front; of the others those that go on alike stand together.
    while (!rows.empty()) {
      const auto length = pages(rows.front()).size();
      const auto end = std::find_if(rows.begin(), rows.end(), [&](std::uint32_t row) {
        return length == common || pages(row)[common] != pages(rows.front())[common];
      });
      const std::size_t alike = std::max<std::size_t>(1, static_cast<std::size_t>(end - rows.begin()));
      add(rows.first(alike), from);
      rows = rows.subspan(alike);
    }
  }

  std::span<const DecodeSequence> sequences_;
  std::span<const std::uint32_t> table_;
  std::size_t least_pages_;
  std::vector<SharedPrefix> prefixes_;
};

}  // namespace

std::vector<SharedPrefix> shared_prefixes(std::span<const DecodeSequence> sequences,
                                          std::span<const std::uint32_t> table, std::size_t least_pages) {
  return PrefixTree(sequences, table, least_pages).prefixes();
}

SharedPrefixPlan shared_prefix_plan(const DecodeLayout& layout, std::span<const SharedPrefix> prefixes,
                                    std::uint32_t rows, const PrefillTuning& tuning, std::uint32_t blocks) {
  SharedPrefixPlan plan;
  std::vector<std::vector<std::uint32_t>> parts(rows);  // of each row
  std::vector<PrefillRun> runs;
  const auto each = static_cast<std::uint32_t>(blocks / std::max<std::size_t>(1, prefixes.size()));
  for (const SharedPrefix& prefix : prefixes) {
    PrefillRun run{prefix.first_page, static_cast<std::uint32_t>(plan.tokens.size()),
                   static_cast<std::uint32_t>(prefix.rows.size()), plan.first_suffix, 1};
    run.splits = prefill_splits(layout, run.tokens, prefix.end - prefix.begin, tuning, each);
    for (const std::uint32_t row : prefix.rows) plan.tokens.push_back({row, prefix.begin, prefix.end});
    for (std::uint32_t split = 0; split < run.splits; ++split) {
      for (const std::uint32_t row : prefix.rows) parts[row].push_back(plan.first_suffix++);
    }
    runs.push_back(run);
  }
  plan.prefixes = prefill_plan(layout, plan.tokens, runs, tuning);
  plan.merge_first.push_back(0);
  for (std::uint32_t row = 0; row < rows; ++row) {
    plan.merge_parts.insert(plan.merge_parts.end(), parts[row].begin(), parts[row].end());
    plan.merge_parts.push_back(plan.first_suffix + row);
    plan.merge_first.push_back(static_cast<std::uint32_t>(plan.merge_parts.size()));
  }
  return plan;
}

}  // namespace micius
