#include "engine/split_choices.h"

#include <string>

#include <catch2/catch.hpp>

namespace micius {
namespace {

// "context|continuation" of each pair, with a digit a token.
std::string shown(const std::vector<TokenPair>& pairs) {
  std::string text;
  for (const TokenPair& pair : pairs) {
    for (const TokenId id : pair.context) text += std::to_string(id);
    text += '|';
    for (const TokenId id : pair.continuation) text += std::to_string(id);
    text += ' ';
  }
  return text;
}

}  // namespace

TEST_CASE("choices are cut behind all that they begin with") {
  const std::vector<ChoiceTokens> choices = {{{1, 2, 3, 4}, 2}, {{1, 2, 3, 5, 6}, 2}, {{1, 2, 3, 7}, 2}};
  CHECK(shown(split_at_common_prefix(choices)) == "123|4 123|56 123|7 ");
  const std::vector<ChoiceTokens> inside = {{{1, 2}, 1}, {{1, 2, 3}, 1}};
  CHECK(shown(split_at_common_prefix(inside)) == "12| 12|3 ");
  const std::vector<ChoiceTokens> apart = {{{4, 2}, 1}, {{5, 2}, 1}};
  CHECK(shown(split_at_common_prefix(apart)) == "|42 |52 ");
  CHECK(split_at_common_prefix({}).empty());
}

TEST_CASE("a sentence's end is weighed without its last token") {
  const std::vector<ChoiceTokens> choices = {{{1, 2, 6, 7, 8, 9}, 2}, {{1, 3, 4, 6, 7, 8, 9}, 3}};
  CHECK(shown(split_trailing(choices)) == "12|678 134|678 ");
  SECTION("a short end is weighed with the choices") {
    const std::vector<ChoiceTokens> brief = {{{1, 2, 6, 9}, 2}, {{1, 3, 4, 6, 9}, 3}};
    CHECK(shown(split_trailing(brief)) == "1|26 1|346 ");
  }
  SECTION("a last token that is alone stays") {
    const std::vector<ChoiceTokens> alone = {{{1, 2}, 2}, {{1, 3}, 2}};
    CHECK(shown(split_trailing(alone)) == "1|2 1|3 ");
  }
  SECTION("a context as long as the whole leaves nothing") {
    const std::vector<ChoiceTokens> none = {{{1, 2, 3, 4, 5}, 5}, {{1, 6, 7, 8, 9}, 4}};
    CHECK(shown(split_trailing(none)) == "12345| 1678|9 ");
  }
}

}  // namespace micius
