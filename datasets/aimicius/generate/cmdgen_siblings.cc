#include "cmdgen_siblings.h"

#include <algorithm>
#include <cctype>

#include "base/text.h"

namespace micius::aimicius {
namespace {

using Words = std::vector<std::string>;

bool is_digit(char letter) { return std::isdigit(static_cast<unsigned char>(letter)) != 0; }

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-' && !is_digit(word[1]); }

bool is_variable(const std::string& word) {
  return std::isupper(static_cast<unsigned char>(word[0])) != 0 && word.find('=') != std::string::npos;
}

Words words_of(const std::string& command) {
  Words words;
  for (const std::string_view word : split_words(command)) words.emplace_back(word);
  return words;
}

bool is_source(const std::string& word) {
  return word.find(".cu") != std::string::npos || word.rfind("./", 0) == 0;
}

bool is_host(const std::string& word) { return word.rfind("node", 0) == 0; }

bool ends_words(const std::string& word) { return word == ">" || word == "&&"; }

// "128M" -> "64M", "1G" -> "2G".
std::optional<std::string> other_size(const std::string& value) {
  if (value.size() < 2 || value.size() > 6 || std::string_view("KMG").find(value.back()) == std::string::npos)
    return std::nullopt;
  const std::string digits = value.substr(0, value.size() - 1);
  if (!std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  const int number = std::stoi(digits);
  return std::to_string(number % 2 == 0 ? number / 2 : 2 * number) + value.back();
}

void add_values(const CommandOption& option, Words& fixed, std::vector<Words>& lists) {
  if (option.kind == "fixed") {
    fixed.push_back(option.value);
    return;
  }
  Words list;
  for (const auto& row : option.values) list.push_back(row[0]);
  for (const auto& [field, text] : option.fields) list.push_back(field);
  if (list.size() > 1) lists.push_back(std::move(list));
}

}  // namespace

std::string program_of(const std::string& command) {
  for (const std::string_view word : split_words(command)) {
    if (word == "sudo" || word.find('=') != std::string_view::npos) continue;
    return std::string(word.substr(word.rfind('/') + 1));
  }
  return "";
}

Siblings::Siblings(const CommandSources& sources, const std::string& platform)
    : others_(sources.others.at(platform)) {
  std::map<std::string, Words> fixed;
  for (const CommandCombo& combo : sources.combos) {
    if (combo.platform != platform) continue;
    for (const CommandOption& option : combo.options)
      for (const std::string& flag : option.flags) {
        const std::string key = program_of(combo.command) + " " + flag;
        add_values(option, fixed[key], values_[key]);
      }
  }
  for (auto& [key, list] : fixed)
    if (list.size() > 1) values_[key].push_back(std::move(list));
}

std::optional<std::string> Siblings::other_value(const std::string& program, const std::string& flag,
                                                 const std::string& value) const {
  const std::size_t comma = value.rfind(',');
  if (comma != std::string::npos && value.find_first_of("=\"") == std::string::npos)
    return value.substr(0, comma);
  if (const auto known = values_.find(program + " " + flag); known != values_.end()) {
    for (const Words& list : known->second) {
      const auto at = std::find(list.begin(), list.end(), value);
      if (at == list.end()) continue;
      for (std::size_t step = 1; step < list.size(); ++step) {
        const std::string& next = list[(static_cast<std::size_t>(at - list.begin()) + step) % list.size()];
        if (next != value) return next;
      }
    }
  }
  if (value.empty() || value.size() > 200) return std::nullopt;
  if (auto size = other_size(value)) return size;
  std::string changed = value;
  const std::size_t last = value.find_last_of("0123456789");
  if (last != std::string::npos) {  // the lower one: a GPU that is there
    const bool least = value == "1" || changed[last] == '0';
    changed[last] = static_cast<char>(changed[last] + (least ? 1 : -1));
    return changed;
  }
  return changed.insert(changed.size() - (value.back() == '"' ? 1 : 0), "x");
}

// `before`: the word in front of it. Absent for a word that is no value, or need not be wrong if changed.
std::optional<std::string> Siblings::with_other_value(const std::string& program, const std::string& before,
                                                      const std::string& word) const {
  if (is_source(word) || is_host(word) || before == "-H" || before == "--autorespond") return std::nullopt;
  const std::size_t equals = word.find('=');
  if (is_option(word)) {
    if (equals == std::string::npos) return std::nullopt;
    const auto value = other_value(program, word.substr(0, equals), word.substr(equals + 1));
    return value ? std::optional(word.substr(0, equals + 1) + *value) : std::nullopt;
  }
  if (!is_option(before)) return std::nullopt;
  auto value = other_value(program, before, word);
  // Of a variable that is on, 2 says no less than 1.
  if (is_variable(word) && value && value->find_first_not_of("0123456789", equals + 1) == std::string::npos)
    return std::nullopt;
  return value;
}

std::vector<Sibling> Siblings::of(const std::string& command) const {
  std::vector<Sibling> siblings;
  const Words words = words_of(command);
  const std::string program = program_of(command);
  const auto changed_to = [&](std::size_t at, const std::string& word) {
    Words changed = words;
    changed[at] = word;
    siblings.push_back({join(changed, " "), false});
  };
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::string& word = words[i];
    const auto without = [&](std::size_t count, bool may_be_right) {
      Words changed = words;
      const auto at = changed.begin() + static_cast<std::ptrdiff_t>(i);
      changed.erase(at, at + static_cast<std::ptrdiff_t>(count));
      siblings.push_back({join(changed, " "), may_be_right});
    };
    if (word == ">" && i + 1 < words.size()) without(2, false);
    if (is_option(word)) {
      const bool joined = word.find('=') != std::string::npos;
      const bool has_value = !joined && i + 1 < words.size() && !is_option(words[i + 1]) &&
                             !ends_words(words[i + 1]) && !is_source(words[i + 1]);
      without(has_value ? 2 : 1, has_value || joined);
    }
    if (const auto other = with_other_value(program, words[i - 1], word)) changed_to(i, *other);
  }
  if (is_variable(words[0]) || words[0] == "sudo")
    siblings.push_back({join(Words(words.begin() + 1, words.end()), " "), false});
  if (is_variable(words[0])) {
    const std::size_t equals = words[0].find('=');
    const auto known = values_.find(program + " " + words[0].substr(0, equals));
    if (known != values_.end() && !known->second.empty())
      changed_to(0, words[0].substr(0, equals + 1) +
                        *other_value(program, words[0].substr(0, equals), words[0].substr(equals + 1)));
  }
  for (const std::string& other : others_)
    if (other != command) siblings.push_back({other, false});
  return siblings;
}

}  // namespace micius::aimicius
