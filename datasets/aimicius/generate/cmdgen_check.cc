#include "cmdgen_check.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace micius::aimicius {
namespace {

using Words = std::vector<std::string>;

bool is_option(const std::string& word) {
  return word.size() > 1 && word[0] == '-' && std::isdigit(static_cast<unsigned char>(word[1])) == 0;
}

Words words_of(const std::string& command) {
  Words words;
  for (const std::string_view word : split_words(command)) words.emplace_back(word);
  return words;
}

// The word with its last digit changed, else with a letter more; absent where that need not be wrong.
std::optional<std::string> with_other_value(const std::string& word) {
  const bool variable =
      std::isupper(static_cast<unsigned char>(word[0])) != 0 && word.find('=') != std::string::npos;
  if (variable || word.size() > 200) return std::nullopt;  // of a variable 2 says no less than 1
  std::string changed = word;
  const std::size_t last = word.find_last_of("0123456789");
  if (last == std::string::npos) return changed.insert(changed.size() - (word.back() == '"' ? 1 : 0), "x");
  changed[last] = changed[last] == '9' ? '8' : static_cast<char>(changed[last] + 1);
  return changed;
}

bool is_source(const std::string& word) {
  return word.find(".cu") != std::string::npos || word.rfind("./", 0) == 0;
}

bool ends_words(const std::string& word) { return word == ">" || word == "&&"; }

}  // namespace

std::vector<Sibling> siblings_of(const std::string& command, const std::vector<std::string>& others) {
  std::vector<Sibling> siblings;
  const Words words = words_of(command);
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    Words changed = words;
    const auto at = changed.begin() + static_cast<std::ptrdiff_t>(i);
    if (is_option(word)) {
      const bool joined = word.find('=') != std::string::npos;
      const bool has_value = !joined && i + 1 < words.size() && !is_option(words[i + 1]) &&
                             !ends_words(words[i + 1]) && !is_source(words[i + 1]);
      changed.erase(at, at + (has_value ? 2 : 1));
      siblings.push_back({join(changed, " "), has_value || joined});
    }
    const bool is_value = is_option(word) ? word.find('=') != std::string::npos : is_option(words[i - 1]);
    if (!is_value || is_source(word) || words[i - 1] == "-H" || words[i - 1] == "--autorespond") continue;
    if (const auto other = with_other_value(word)) {
      changed = words;
      changed[i] = *other;
      siblings.push_back({join(changed, " "), false});
    }
  }
  const bool has_variable = words[0].find('=') != std::string::npos;
  if (has_variable || words[0] == "sudo")
    siblings.push_back({join(Words(words.begin() + 1, words.end()), " "), false});
  for (const std::string& other : others)
    if (other != command) siblings.push_back({other, false});
  return siblings;
}

bool CaseChecker::same_effect(const CommandCase& item, const std::string& command) const {
  const auto wanted = judge_.runner().here(item.reference, item.machine);
  const auto effect = judge_.runner().here(command, item.machine);
  const std::string host = judge_.catalog().profile(item.machine.profile).data.value("hostname", "");
  return wanted && effect &&
         judge_.texts().agree(*wanted, *effect, item.channels, host, EffectTexts::Text::kEqual);
}

std::optional<CaseChecker::Ending> CaseChecker::ending_of(const CommandCase& item,
                                                          const std::vector<std::string>& others,
                                                          std::string& why_not) const {
  const auto wanted = judge_.runner().here(item.reference, item.machine);
  if (!wanted) {
    why_not = "the reference needs a sandbox or a tool that is not emulated";
    return std::nullopt;
  }
  const emu::Profile& profile = judge_.catalog().profile(item.machine.profile);
  const std::string host = profile.data.value("hostname", "");
  const std::string text = judge_.texts().equality(*wanted, item.channels, host);
  Ending ending{wanted->exit};
  const bool says_why = ending.exit != 0 && !strip(wanted->err).empty();
  if ((strip(text).empty() && !says_why) || wanted->truncated) {
    why_not = "the reference leaves nothing to compare";
    return std::nullopt;
  }
  const auto form = judge_.normal_forms().of(item.reference, profile.platform);
  std::size_t different = 0;
  for (const Sibling& sibling : siblings_of(item.reference, others)) {
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
  }
  if (different < 3) {
    why_not = "fewer than three siblings run";
    return std::nullopt;
  }
  return ending;
}

}  // namespace micius::aimicius
