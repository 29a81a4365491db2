#include "runners/errors.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"

namespace micius {
namespace {

enum class Kind { kNumber, kOption, kName };

struct Token {
  std::size_t offset;
  std::string text;
  Kind kind;
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool begins_option(std::string_view text, std::size_t i) {
  return text[i] == '-' && (i == 0 || text[i - 1] == ' ') && i + 1 < text.size() &&
         (text[i + 1] == '-' || is_letter(text[i + 1]));
}

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t begin = i;
    const bool option = begins_option(text, i);
    const bool number = is_digit(text[i]);
    if (!option && !number && !is_letter(text[i])) {
      ++i;
      continue;
    }
    ++i;
    while (i < text.size() &&
           (is_digit(text[i]) || (!number && is_letter(text[i])) || (option && text[i] == '-')))
      ++i;
    tokens.push_back({begin, std::string(text.substr(begin, i - begin)),
                      option   ? Kind::kOption
                      : number ? Kind::kNumber
                               : Kind::kName});
  }
  return tokens;
}

// What stands in the token's place instead.
std::string mistake(const Token& token, const std::vector<Token>& others, Rng& rng) {
  std::vector<std::string> choices;
  for (const Token& other : others)
    if (other.kind == token.kind && other.text != token.text) choices.push_back(other.text);
  if (!choices.empty()) return choices[rng.below(choices.size())];
  if (token.kind != Kind::kNumber) return "";
  std::string number = token.text;
  for (std::size_t i = number.size(); i-- > 0;) {
    if (number[i] != '9') {
      ++number[i];
      return number;
    }
    number[i] = '0';
  }
  return "1" + number;
}

}  // namespace

std::string with_errors(std::string_view answer, std::string_view other, std::size_t count,
                        std::string_view seed) {
  const std::vector<Token> tokens = tokens_of(answer), others = tokens_of(other);
  std::vector<std::size_t> places(tokens.size());
  std::iota(places.begin(), places.end(), 0);
  Rng order(fmt::format("{}/places", seed));
  order.shuffle(places);
  places.resize(std::min(count, places.size()));
  std::sort(places.begin(), places.end(), std::greater<>());
  std::string text(answer);
  for (const std::size_t place : places) {
    Rng rng(fmt::format("{}/{}", seed, place));
    text.replace(tokens[place].offset, tokens[place].text.size(), mistake(tokens[place], others, rng));
  }
  return text;
}

}  // namespace micius
