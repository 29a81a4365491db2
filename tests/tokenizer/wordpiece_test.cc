#include "engine/tokenizer/wordpiece.h"

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/json.h"
#include "base/rng.h"
#include "base/text.h"
#include "source_tree.h"
#include "tokenizer/vectors.h"

namespace micius {
namespace {

const std::vector<std::string> kTokens = {
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "un", "##aff", "##able", "run",  "ea", "i",
    "k",     "-",     "=",     "$",     ";",      "中", "ᄒ",    "##ᅡ",   "##ᆫ", "a",  "##a"};

WordPiece small() { return {join(kTokens, "\n") + "\n", "vocab.txt"}; }

TEST_CASE("Words are cut as BERT cuts them", "[wordpiece]") {
  const WordPiece tokenizer = small();
  CHECK(tokenizer.size() == kTokens.size());
  CHECK(tokenizer.cls() == 2);
  CHECK(tokenizer.sep() == 3);
  test::for_each_row(source_tree() / "tests/tokenizer/wordpiece.jsonl", [&](const Json& row) {
    std::vector<std::string> pieces;
    for (const TokenId id : tokenizer.encode(row.at("text").get<std::string>()))
      pieces.push_back(kTokens.at(id));
    INFO(row.at("why"));
    CHECK(pieces == row.at("pieces").get<std::vector<std::string>>());
  });
}

TEST_CASE("A word of more than 100 characters is unknown", "[wordpiece]") {
  const WordPiece tokenizer = small();
  CHECK(tokenizer.encode(std::string(100, 'a')).size() == 100);
  CHECK(tokenizer.encode(std::string(101, 'a')) == std::vector<TokenId>{1});
  CHECK(tokenizer.encode(std::string(10'000'000, 'a') + " a").size() == 2);
}

TEST_CASE("A limit cuts the ids, not what they are", "[wordpiece]") {
  const WordPiece tokenizer = small();
  const std::string text = "unaffable run [SEP] unaffable";
  const std::vector<TokenId> all = tokenizer.encode(text);
  REQUIRE(all.size() == 8);
  for (std::size_t limit = 0; limit <= 9; ++limit) {
    const std::vector<TokenId> some = tokenizer.encode(text, limit);
    CHECK(some ==
          std::vector<TokenId>(all.begin(), all.begin() + static_cast<int>(std::min<std::size_t>(limit, 8))));
  }
}

TEST_CASE("Any bytes become ids", "[wordpiece]") {
  const WordPiece tokenizer = small();
  Rng rng("wordpiece bytes");
  for (int i = 0; i < 2000; ++i) {
    std::string text(rng.below(40), ' ');
    for (char& byte : text) byte = static_cast<char>(rng.below(256));
    for (const TokenId id : tokenizer.encode(text)) REQUIRE(static_cast<std::size_t>(id) < kTokens.size());
  }
}

TEST_CASE("A vocabulary that cannot be is refused with its line", "[wordpiece]") {
  CHECK_THROWS_WITH(WordPiece("[UNK]\n[CLS]\n[SEP]\na\na\n", "v.txt"), "v.txt:5: token 'a' is on line 4 too");
  CHECK_THROWS_WITH(WordPiece("[UNK]\n[CLS]\n", "v.txt"),
                    Catch::Contains("v.txt: the token [SEP] is missing"));
}

}  // namespace
}  // namespace micius
