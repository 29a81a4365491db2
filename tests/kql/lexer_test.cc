#include "kql/lexer.h"

#include <map>
#include <string>

#include <catch2/catch.hpp>

#include "kql/rows.h"

namespace micius::kql {
namespace {

Json tokens_of(const std::string& query) {
  Json tokens = Json::array();
  for (const Token& token : lex(query).tokens)
    if (token.kind != Tok::kEndOfText)
      tokens.push_back({token_name(token.kind), query.substr(token.offset, token.length)});
  return tokens;
}

}  // namespace

TEST_CASE("texts are split into the tokens of lexer.jsonl") {
  for_each_row(own_rows("lexer.jsonl"),
               [](const Json& row) { CHECK(tokens_of(row.at("query")) == row.at("tokens")); });
}

TEST_CASE("the token streams of the vectors, all of them") {
  const auto folder = kql_vectors();
  if (folder.empty()) return;
  std::map<std::string, std::string> queries;
  for_each_row(folder / "syntax.jsonl", [&](const Json& row) { queries[row.at("id")] = row.at("query"); });
  std::size_t rows = 0;
  for_each_row(folder / "lexer.jsonl", [&](const Json& row) {
    CHECK(tokens_of(queries.at(row.at("id"))) == row.at("tokens"));
    ++rows;
  });
  CHECK(rows == 844);
}

TEST_CASE("each keyword has the kind that the vectors name") {
  const auto folder = kql_vectors();
  if (folder.empty()) return;
  for_each_row(folder / "keywords.jsonl", [](const Json& row) {
    const std::string word = row.at("word");
    const Lexed lexed = lex(word);
    REQUIRE(lexed.tokens.size() == 2);
    CHECK(std::string(token_name(lexed.tokens[0].kind)) == row.at("kind"));
    CHECK(token_text(lexed.tokens[0].kind) == word);
  });
}

TEST_CASE("tokens know their place, and whether a blank stands before them") {
  const Lexed lexed = lex("ab\xc2\xa0\xc3\xa9 c.d");
  REQUIRE(lexed.tokens.size() == 6);
  CHECK(lexed.tokens[1].kind == Tok::kBad);
  CHECK(lexed.tokens[1].offset == 4);
  CHECK(lexed.tokens[1].length == 2);
  CHECK_FALSE(lexed.tokens[2].glued);
  CHECK(lexed.tokens[3].glued);
  REQUIRE(lexed.errors.size() == 1);
  CHECK(lexed.errors[0].offset == 4);
  CHECK(lexed.errors[0].message == "unexpected character '\xc3\xa9'");
}

TEST_CASE("what is wrong inside a token is an error at its place") {
  const std::map<std::string, std::pair<std::size_t, std::string>> cases = {
      {"x 'abc", {6, "missing '"}},
      {"x \"abc\ny", {6, "missing \""}},
      {"x ```abc", {8, "missing ```"}},
      {"'a\\qb'", {2, "not an escape; a \\ in a string is \\\\, or write @ before the quote"}},
      {"long(1 ", {7, "missing ')' of long("}},
  };
  for (const auto& [text, expected] : cases) {
    INFO(text);
    const Lexed lexed = lex(text);
    REQUIRE_FALSE(lexed.errors.empty());
    CHECK(lexed.errors[0].offset == expected.first);
    CHECK(lexed.errors[0].message == expected.second);
  }
}

TEST_CASE("a string literal's value") {
  CHECK(decode_string(R"('it\'s')") == "it's");
  CHECK(decode_string(R"("a\tb\\\x41\u00e9\101\7")") ==
        "a\tb\\A\xc3\xa9"
        "A\a");
  CHECK(decode_string(R"(@'c:\a''b')") == "c:\\a'b");
  CHECK(decode_string(R"(h@"x""y")") == "x\"y");
  CHECK(decode_string(R"(H'x')") == "x");
  CHECK(decode_string("```a\n'b'```") == "a\n'b'");
  CHECK(decode_string("~~~a~~~") == "a");
  CHECK(decode_string(R"('\uD800\UFFFFFFFF')") == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(decode_string("'open") == "open");
  CHECK(decode_string("") == "");
  CHECK(decode_string("'") == "");
  CHECK(decode_string("'a\\") == "a\\");
}

TEST_CASE("any bytes give tokens that cover all but the blanks, in order") {
  std::string bytes;
  for (int i = 0; i < 256; ++i)
    bytes += std::string(1, static_cast<char>(i)) + static_cast<char>(255 - i) + 'a';
  const Lexed lexed = lex(bytes);
  std::uint32_t at = 0;
  for (const Token& token : lexed.tokens) {
    REQUIRE(token.offset >= at);
    at = token.end();
  }
  CHECK(at == bytes.size());
}

}  // namespace micius::kql
