#include "engine/split_choices.h"

#include <algorithm>

namespace micius {
namespace {

constexpr std::size_t kLeastTrailing = 3;

std::size_t common_prefix(std::span<const ChoiceTokens> choices) {
  if (choices.empty()) return 0;
  const std::vector<TokenId>& first = choices.front().ids;
  std::size_t common = first.size();
  for (const ChoiceTokens& choice : choices) {
    const std::size_t most = std::min(common, choice.ids.size());
    const auto end = first.begin() + static_cast<std::ptrdiff_t>(most);
    common =
        static_cast<std::size_t>(std::mismatch(first.begin(), end, choice.ids.begin()).first - first.begin());
  }
  return common;
}

// Weighed is [begin, end).
TokenPair cut(const std::vector<TokenId>& ids, std::size_t begin, std::size_t end) {
  begin = std::min(begin, ids.size());
  const auto at = [&](std::size_t i) { return ids.begin() + static_cast<std::ptrdiff_t>(i); };
  return {{ids.begin(), at(begin)}, {at(begin), at(std::max(begin, end))}};
}

}  // namespace

std::vector<TokenPair> split_at_common_prefix(std::span<const ChoiceTokens> choices) {
  const std::size_t common = common_prefix(choices);
  std::vector<TokenPair> pairs;
  for (const ChoiceTokens& choice : choices) pairs.push_back(cut(choice.ids, common, choice.ids.size()));
  return pairs;
}

std::vector<TokenPair> split_trailing(std::span<const ChoiceTokens> choices) {
  const std::size_t common = common_prefix(choices);
  const bool skips_choice = std::all_of(choices.begin(), choices.end(), [&](const ChoiceTokens& choice) {
    return choice.ids.size() - common > kLeastTrailing;
  });
  std::vector<TokenPair> pairs;
  for (const ChoiceTokens& choice : choices) {
    const std::size_t begin = skips_choice ? choice.context_count : common, size = choice.ids.size();
    pairs.push_back(cut(choice.ids, begin, size - (size > begin + 1 ? 1 : 0)));
  }
  return pairs;
}

}  // namespace micius
