#include "engine/tokenizer/tokenizer.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/rng.h"
#include "base/text.h"
#include "engine/tokenizer/byte_level.h"
#include "source_tree.h"
#include "tokenizer/vectors.h"

namespace micius {
namespace {

using Ids = std::vector<TokenId>;

std::string in_alphabet(std::string_view bytes) {
  std::string token;
  for (const char byte : bytes) token += byte_level_character(static_cast<unsigned char>(byte));
  return token;
}

// Every byte but 0x04, some words, a word that no merge reaches, two control tokens and a user-defined one.
TokenizerData tiny_data(const std::string& pre) {
  TokenizerData data;
  data.model = "gpt2";
  data.pre = pre;
  for (int byte = 0; byte < 256; ++byte)
    data.tokens.push_back(byte_level_character(static_cast<unsigned char>(byte == 4 ? 5 : byte)));
  for (const auto& [left, right] : {std::pair("l", "l"),
                                    {"h", "e"},
                                    {"he", "ll"},
                                    {"hell", "o"},
                                    {" ", "hello"},
                                    {"\xC3", "\xA9"},
                                    {"!", "!"}}) {
    data.merges.push_back(in_alphabet(left) + " " + in_alphabet(right));
    data.tokens.push_back(in_alphabet(left) + in_alphabet(right));
  }
  data.tokens.push_back("whole");
  data.kinds.resize(data.tokens.size(), TokenKind::kNormal);
  data.tokens.insert(data.tokens.end(), {"<|end|>", "<|end|>>", "<tool>"});
  data.kinds.insert(data.kinds.end(), {TokenKind::kControl, TokenKind::kControl, TokenKind::kUserDefined});
  return data;
}

// Letters, blanks, marks, digits, special tokens, characters of every length.
std::string random_text(Rng& rng, std::size_t parts) {
  static const std::vector<std::string> kParts = {"hello",
                                                  " hell",
                                                  "l",
                                                  "'ll",
                                                  "  ",
                                                  "\n",
                                                  "\r\n",
                                                  "7",
                                                  "123",
                                                  "<|end|>",
                                                  "<|",
                                                  "\xC3\xA9",
                                                  "e\xCC\x81",
                                                  "\xE4\xBD\xA0",
                                                  "\xF0\x9F\x98\x80",
                                                  "!",
                                                  "\xC2\xA0",
                                                  "Ab",
                                                  "_",
                                                  "\xE2\x80\xA8"};
  std::string text;
  for (std::size_t i = 0; i < parts; ++i) text += kParts[rng.below(kParts.size())];
  return text;
}

}  // namespace

TEST_CASE("ids of a tiny vocabulary") {
  test::for_each_row(source_tree() / "tests/tokenizer/tiny.jsonl", [](const Json& row) {
    INFO(row.dump());
    const Tokenizer tokenizer(tiny_data(row.at("pre")));
    const auto special = row.value("special", true) ? SpecialText::kRecognised : SpecialText::kPlain;
    std::vector<std::string> pieces;
    for (const TokenId id : tokenizer.encode(row.at("text").get<std::string>(), special))
      pieces.emplace_back(tokenizer.bytes(id));
    CHECK(pieces == row.at("ids").get<std::vector<std::string>>());
  });
}

TEST_CASE("decoding gives the text back, at once and as a stream") {
  for (const std::string& pre : covered_pre_tokenizers()) {
    const Tokenizer tokenizer(tiny_data(pre));
    if (make_pre_tokenizer(pre).nfc) continue;
    Rng rng("tokenizer/round-trip/" + pre);
    for (int i = 0; i < 20; ++i) {
      const std::string text = random_text(rng, 40);
      INFO(pre << ": " << text);
      for (const auto special : {SpecialText::kRecognised, SpecialText::kPlain}) {
        const Ids ids = tokenizer.encode(text, special);
        CHECK(tokenizer.decode(ids, SpecialText::kRecognised) == text);
        StreamDecoder stream(tokenizer, SpecialText::kRecognised);
        std::string streamed;
        for (const TokenId id : ids) {
          const std::string part = stream.push(id);
          CHECK(is_valid_utf8(part));
          streamed += part;
        }
        CHECK(streamed + stream.finish() == text);
      }
    }
  }
}

TEST_CASE("any bytes are tokenized, any ids are streamed") {
  const Tokenizer tokenizer(tiny_data("llama-bpe"));
  Rng rng("tokenizer/bytes");
  for (int i = 0; i < 300; ++i) {
    std::string bytes = random_text(rng, 5);
    for (std::size_t n = rng.below(20); n > 0; --n)
      bytes.insert(rng.below(bytes.size() + 1), 1, static_cast<char>(rng.below(256)));
    const Ids ids = tokenizer.encode(bytes, SpecialText::kRecognised);
    CHECK(ids == tokenizer.encode(to_valid_utf8(bytes), SpecialText::kRecognised));
  }
  for (int i = 0; i < 300; ++i) {
    StreamDecoder stream(tokenizer, SpecialText::kRecognised);
    std::string bytes, streamed;
    for (std::size_t n = rng.below(30); n > 0; --n) {
      const auto id = static_cast<TokenId>(128 + rng.below(tokenizer.size() - 128));
      bytes += tokenizer.bytes(id);
      streamed += stream.push(id);
    }
    CHECK(streamed + stream.finish() == to_valid_utf8(bytes));
  }
}

TEST_CASE("a stream holds back a character until it is whole, and no longer") {
  const Tokenizer tokenizer(tiny_data("gpt-2"));
  StreamDecoder stream(tokenizer, SpecialText::kPlain);
  CHECK(stream.push(0xF0).empty());
  CHECK(stream.push(0x9F).empty());
  CHECK(stream.push(0x98).empty());
  CHECK(stream.push(0x80) == "\xF0\x9F\x98\x80");
  CHECK(stream.push(0xE0).empty());
  CHECK(stream.push('a') ==
        "\xEF\xBF\xBD"
        "a");
  CHECK(stream.push(0xFF) == "\xEF\xBF\xBD");
  CHECK(stream.push(*tokenizer.find_special("<|end|>")).empty());
  CHECK(stream.push(0xC3).empty());
  CHECK(stream.finish() == "\xEF\xBF\xBD");
  CHECK(stream.finish().empty());
}

TEST_CASE("long texts take linear time") {
  const Tokenizer tokenizer(tiny_data("gpt-2"));
  const Tokenizer normalising(tiny_data("qwen2"));
  constexpr std::size_t kSize = 1 << 20;
  CHECK(tokenizer.encode(std::string(kSize, 'l'), SpecialText::kPlain).size() == kSize / 2);
  CHECK(tokenizer.encode(std::string(kSize, ' ') + "x", SpecialText::kPlain).size() == kSize + 1);
  CHECK(tokenizer.encode(std::string(kSize, '<'), SpecialText::kRecognised).size() == kSize);
  std::string marks = "a";
  while (marks.size() < kSize) marks += "\xCC\x81\xCC\xA3";
  CHECK(normalising.encode(marks, SpecialText::kPlain).size() == marks.size());
}

TEST_CASE("what a model file gets wrong is named") {
  const auto message = [](const TokenizerData& data) -> std::string {
    try {
      const Tokenizer tokenizer(data);
      return "none";
    } catch (const Error& error) {
      return error.what();
    }
  };
  TokenizerData data = tiny_data("gpt-2");
  data.model = "rwkv";
  CHECK_THAT(message(data), Catch::Contains("'rwkv'") && Catch::Contains("gpt2"));
  data = tiny_data("gpt-2");
  data.merges.push_back("zq q");
  CHECK_THAT(message(data), Catch::Contains("merge 7 ('zq q')"));
  data.merges.back() = "";
  CHECK_THAT(message(data), Catch::Contains("merge 7"));
  data = tiny_data("gpt-2");
  data.kinds.pop_back();
  CHECK_THAT(message(data), Catch::Contains("token types"));
  data = tiny_data("gpt-2");
  data.eos = 5000;
  CHECK_THAT(message(data), Catch::Contains("eos id 5000"));
  data = tiny_data("gpt-2");
  data.tokens.back() = std::string(600, 'x');
  CHECK_THAT(message(data), Catch::Contains("600 bytes"));
}

TEST_CASE("ids outside the vocabulary are refused") {
  const Tokenizer tokenizer(tiny_data("gpt-2"));
  const Ids bad = {1, 1000};
  CHECK_THROWS_WITH(tokenizer.decode(bad, SpecialText::kPlain), Catch::Contains("1000"));
  CHECK_THROWS_AS(tokenizer.bytes(-1), Error);
}

}  // namespace micius
