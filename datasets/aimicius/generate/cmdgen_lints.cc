#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "base/error.h"
#include "base/text.h"
#include "cmdgen.h"

namespace micius::aimicius {
namespace {

constexpr std::size_t kSoftShare = 20;  // one case in so many may be soft

// Does the request have an option's name in it?
bool names_option(const std::string& request) {
  static const std::regex kOption(R"((^|[ (])--?[A-Za-z][A-Za-z-]*)");
  return std::regex_search(request, kOption);
}

void lint_request(const CommandItem& item) {
  const std::size_t words = split_words(item.request).size();
  const std::string what = item.id + " '" + item.request + "'";
  if (words < 5 || words > 60) fail(ErrorCode::kInvalidData, "{}: {} words, not 5 to 60", what, words);
  if (names_option(item.request)) fail(ErrorCode::kInvalidData, "{}: an option's name is in it", what);
  if (item.request.find('{') != std::string::npos) fail(ErrorCode::kInvalidData, "{}: an open slot", what);
  for (const auto& [option, span] : item.spans.items()) {
    const std::string said = span.get<std::string>();
    if (said.empty() || item.request.find(said) == std::string::npos)
      fail(ErrorCode::kInvalidData, "{}: the span '{}' of {} is not in it", what, said, option);
  }
}

// A soft case does not tell every wrong answer from the right one: few may be so.
void lint_soft(const std::vector<CommandItem>& items) {
  std::map<std::string, std::size_t> all, soft;
  for (const CommandItem& item : items) {
    const std::string group = item.platform + "/" + item.group;
    ++all[group];
    if (std::find(item.tags.begin(), item.tags.end(), "soft") != item.tags.end()) ++soft[group];
  }
  for (const auto& [group, count] : soft)
    if (count * kSoftShare > all[group])
      fail(ErrorCode::kInvalidData, "{}: {} of {} cases are soft, more than 5 %", group, count, all[group]);
}

}  // namespace

std::vector<std::pair<std::string, std::size_t>> leaks(const CommandSplits& splits,
                                                       const CaseChecker& checker) {
  const NormalForms& forms = checker.judge().normal_forms();
  std::set<std::string> combos, commands, requests, families;
  std::size_t same_combo = 0, same_command = 0, same_request = 0, same_family = 0;
  for (const CommandItem& item : splits.at(Split::kTuning)) {
    combos.insert(item.combo);
    requests.insert(item.request);
    commands.insert(forms.of(item.reference, item.platform).value_or(item.reference));
    families.insert(item.family);
  }
  for (const CommandItem& item : splits.at(Split::kTest)) {
    same_combo += combos.count(item.combo);
    same_request += requests.count(item.request);
    same_family += families.count(item.family);
    same_command += commands.count(forms.of(item.reference, item.platform).value_or(item.reference));
  }
  return {{"test combos in tuning data", same_combo},
          {"test commands (normal form) in tuning data", same_command},
          {"test requests in tuning data", same_request},
          {"test cases of a phrasing family in tuning data", same_family}};
}

void lint_commands(const CommandSplits& splits, const CaseChecker& checker) {
  lint_soft(splits.at(Split::kTest));
  for (const auto& [split, items] : splits)
    for (const CommandItem& item : items) lint_request(item);
  for (const auto& [name, count] : leaks(splits, checker))
    if (count != 0) fail(ErrorCode::kInvalidData, "cmdgen: {}: {}", name, count);
}

}  // namespace micius::aimicius
