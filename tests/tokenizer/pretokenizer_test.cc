#include "engine/tokenizer/pretokenizer.h"

#include <algorithm>
#include <iostream>
#include <map>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "source_tree.h"
#include "tokenizer/vectors.h"

namespace micius {
namespace {

std::vector<std::string> pieces_of(const PreTokenizer& pre, const std::string& text) {
  const char_class::Characters characters = char_class::take_apart(text);
  std::vector<std::string> pieces;
  std::uint32_t begin = 0;
  for (const std::uint32_t end : split_pieces(pre, characters)) {
    const std::uint32_t from = characters.offset[begin];
    pieces.push_back(text.substr(from, characters.offset[end] - from));
    begin = end;
  }
  return pieces;
}

void check_rows(const std::filesystem::path& file) {
  const std::vector<std::string> covered = covered_pre_tokenizers();
  std::map<std::string, int> rows;
  test::for_each_row(file, [&](const Json& row) {
    const std::string pre = row.at("pre"), text = row.at("text");
    REQUIRE(std::find(covered.begin(), covered.end(), pre) != covered.end());
    INFO(pre << ": " << row.at("text").dump());
    CHECK(pieces_of(make_pre_tokenizer(pre), text) == row.at("pieces").get<std::vector<std::string>>());
    ++rows[pre];
  });
  CHECK(rows.size() > 1);
  for (const auto& [pre, count] : rows) std::cout << pre << ": " << count << " rows\n";
}

}  // namespace

TEST_CASE("pieces of our own rows") { check_rows(source_tree() / "tests/tokenizer/pieces.jsonl"); }

TEST_CASE("pieces are those of the published tokenizers") {
  const auto file = test::shared_vectors("tokenizers/pretokenize.jsonl");
  if (!file.empty()) check_rows(file);
}

TEST_CASE("pieces cover any text") {
  const std::string text = " \n'LL  x1234\xE4\xBD\xA0'\xC5\xBF \xCC\x81y\r\n\t.!/\n  ";
  for (const std::string& name : covered_pre_tokenizers()) {
    std::string joined;
    for (const std::string& piece : pieces_of(make_pre_tokenizer(name), text)) {
      CHECK_FALSE(piece.empty());
      joined += piece;
    }
    CHECK(joined == text);
  }
}

TEST_CASE("a pre-tokenizer that is not covered is named, and the nearest one") {
  CHECK_THROWS_WITH(make_pre_tokenizer("lama-bpe"),
                    Catch::Contains("'lama-bpe'") && Catch::Contains("did you mean 'llama-bpe'?"));
  CHECK_THROWS_AS(make_pre_tokenizer("default"), Error);
}

}  // namespace micius
