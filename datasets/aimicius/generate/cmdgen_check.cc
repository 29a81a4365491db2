#include "cmdgen_check.h"

#include <algorithm>
#include <map>

#include "base/text.h"

namespace micius::aimicius {
namespace {

constexpr std::size_t kSoftWords = 20;  // a shorter output is equal or wrong: CommandJudge
constexpr double kAlikeWords = 0.3;

}  // namespace

double shared_words(const std::string& a, const std::string& b) {
  std::map<std::string_view, std::ptrdiff_t> counts;
  const auto left = split_words(a), right = split_words(b);
  for (const std::string_view word : left) ++counts[word];
  std::size_t shared = 0;
  for (const std::string_view word : right)
    if (const auto it = counts.find(word); it != counts.end() && it->second-- > 0) ++shared;
  return 2.0 * static_cast<double>(shared) /
         static_cast<double>(std::max<std::size_t>(1, left.size() + right.size()));
}

bool CaseChecker::same_effect(const CommandCase& item, const std::string& command) const {
  const auto wanted = judge_.runner().here(item.reference, item.machine);
  const auto effect = judge_.runner().here(command, item.machine);
  const std::string host = judge_.catalog().profile(item.machine.profile).data.value("hostname", "");
  return wanted && effect &&
         judge_.texts().agree(*wanted, *effect, item.channels, host, EffectTexts::Text::kEqual);
}

bool CaseChecker::may_be_alike(const CommandCase& item, const Effect& effect, const Effect& wanted) const {
  const std::string host = judge_.catalog().profile(item.machine.profile).data.value("hostname", "");
  if (!judge_.texts().agree(effect, wanted, item.channels, host, EffectTexts::Text::kAny)) return false;
  const std::string a = judge_.texts().similarity(effect, item.channels, host);
  const std::string b = judge_.texts().similarity(wanted, item.channels, host);
  return split_words(a).size() >= kSoftWords && split_words(b).size() >= kSoftWords &&
         shared_words(a, b) >= kAlikeWords;
}

std::optional<CaseChecker::Ending> CaseChecker::ending_of(const CommandCase& item, const Siblings& siblings,
                                                          std::string& why_not) const {
  const auto wanted = judge_.runner().here(item.reference, item.machine);
  if (!wanted) {
    why_not = "the reference needs a sandbox or a tool that is not emulated";
    return std::nullopt;
  }
  const emu::Profile& profile = judge_.catalog().profile(item.machine.profile);
  const std::string host = profile.data.value("hostname", "");
  const std::string text = judge_.texts().equality(*wanted, item.channels, host);
  Ending ending;
  ending.exit = wanted->exit;
  const bool says_why = ending.exit != 0 && !strip(wanted->err).empty();
  if ((strip(text).empty() && !says_why) || wanted->truncated) {
    why_not = "the reference leaves nothing to compare";
    return std::nullopt;
  }
  const auto form = judge_.normal_forms().of(item.reference, profile.platform);
  std::size_t different = 0;
  for (const Sibling& sibling : siblings.of(item.reference)) {
    const auto effect = judge_.runner().here(sibling.command, item.machine);
    if (!effect) continue;
    // Without an option that says no more than its default it is the same command.
    if (form && form == judge_.normal_forms().of(sibling.command, profile.platform)) continue;
    if (judge_.texts().agree(*effect, *wanted, item.channels, host, EffectTexts::Text::kEqual)) {
      if (sibling.may_be_right) continue;
      ending.soft = true;
      if (ending.exit != 0) continue;
      why_not = "'" + sibling.command + "' is as good as the reference";
      return std::nullopt;
    }
    ++different;
    if (ending.alike.empty() && may_be_alike(item, *effect, *wanted)) ending.alike = sibling.command;
  }
  if (different < 3) {
    why_not = "fewer than three siblings run";
    return std::nullopt;
  }
  return ending;
}

}  // namespace micius::aimicius
