// The seam between text and tokens: pairs, prompts, where a generation stops.
#include <string>
#include <variant>

#include <catch2/catch.hpp>

#include "engine/encode.h"
#include "engine/generated_text.h"
#include "engine/tokenizer/byte_level.h"

namespace micius {
namespace {

// The 256 bytes, "ab" (256), then <s> (257) and </s> (258).
Tokenizer small_tokenizer(bool add_bos = false, bool has_bos = true) {
  TokenizerData data;
  data.model = "gpt2";
  data.pre = "gpt-2";
  for (int byte = 0; byte < 256; ++byte) {
    data.tokens.push_back(byte_level_character(static_cast<unsigned char>(byte)));
  }
  data.tokens.insert(data.tokens.end(), {"ab", "<s>", "</s>"});
  data.kinds.assign(257, TokenKind::kNormal);
  data.kinds.insert(data.kinds.end(), {TokenKind::kControl, TokenKind::kControl});
  data.merges = {"a b"};
  if (has_bos) data.bos = 257;
  data.eos = 258;
  data.add_bos = add_bos;
  return Tokenizer(std::move(data));
}

using Ids = std::vector<TokenId>;

TEST_CASE("A pair is cut as lm-eval cuts it", "[encode]") {
  const Tokenizer tokenizer = small_tokenizer();
  struct Case {
    std::string context, continuation;
    Ids context_ids, continuation_ids;
  };
  const std::vector<Case> cases = {
      {"x", "y", {'x'}, {'y'}},
      {"x ", "y", {'x'}, {' ', 'y'}},                            // the blank moves
      {"x\u3000\n", "y", {'x'}, {0xe3, 0x80, 0x80, '\n', 'y'}},  // Unicode's and line ends too
      {"a", "bc", {'a'}, {'c'}},      // "ab" joins: what stands behind one token is "c"
      {"", "xy", {257}, {'x', 'y'}},  // BOS for nothing
      {"", "<s>x", {257}, {'x'}},     // unless it is there
  };
  for (const Case& c : cases) {
    INFO(c.context << "|" << c.continuation);
    const auto encoded = encode_pair(tokenizer, c.context, c.continuation);
    REQUIRE(std::holds_alternative<TokenPair>(encoded));
    CHECK(std::get<TokenPair>(encoded).context == c.context_ids);
    CHECK(std::get<TokenPair>(encoded).continuation == c.continuation_ids);
  }
}

TEST_CASE("What is too long for the context is cut on the left", "[encode]") {
  GenerateJob job{{1, 2, 3, 4, 5, 6}, 3, {}, {}, ""};
  CHECK(cut_to_fit(job, 8) == 1);
  CHECK(job.prompt == Ids{2, 3, 4, 5, 6});
  CHECK(cut_to_fit(job, 8) == 0);
  job.max_tokens = 8;
  CHECK(cut_to_fit(job, 8) == 0);
  CHECK(job.prompt.size() == 5);
  TokenPair pair{{1, 2, 3, 4, 5}, {6, 7}};
  CHECK(cut_to_fit(pair, 4) == 2);
  CHECK(pair.context == Ids{3, 4, 5});
  CHECK(cut_to_fit(pair, 1) == 0);
}

TEST_CASE("A pair with nothing to weigh is a failure", "[encode]") {
  const Tokenizer tokenizer = small_tokenizer();
  const auto code = [&](const char* context, const char* continuation) {
    return std::get<JobFailure>(encode_pair(tokenizer, context, continuation)).code;
  };
  CHECK(code("a", "b") == "empty_continuation");  // "ab" is one token
  CHECK(code("x", "") == "empty_continuation");
  CHECK(code("", "") == "empty_continuation");
  CHECK(code("", "<s>") == "empty_continuation");
  CHECK(code(" \n", "x") == "empty_context");
}

TEST_CASE("BOS comes first if the tokenizer says so, once", "[encode]") {
  const Tokenizer with = small_tokenizer(true);
  CHECK(encode_prompt(with, "x") == Ids{257, 'x'});
  CHECK(encode_prompt(with, "<s>x") == Ids{257, 'x'});
  CHECK(encode_prompt(small_tokenizer(), "x") == Ids{'x'});
  const auto pair = std::get<TokenPair>(encode_pair(with, "x", "y"));
  CHECK(pair.context == Ids{257, 'x'});
  CHECK(pair.continuation == Ids{'y'});
  CHECK(prefix_token(small_tokenizer(false, false)) == 258);
}

std::string text_after(const Tokenizer& tokenizer, const std::string& bytes, std::vector<std::string> stop,
                       bool expect_stop) {
  GeneratedText text(tokenizer, std::move(stop));
  for (const char byte : bytes) {
    if (text.push(static_cast<unsigned char>(byte))) {
      CHECK(expect_stop);
      return text.text();
    }
  }
  CHECK_FALSE(expect_stop);
  return text.text();
}

TEST_CASE("Text is cut before the first stop string, over token boundaries", "[generated_text]") {
  const Tokenizer tokenizer = small_tokenizer();
  CHECK(text_after(tokenizer, "GPU 0\n\nGPU 1", {"\n\n"}, true) == "GPU 0");
  CHECK(text_after(tokenizer, "\n\nGPU", {"\n\n"}, true).empty());
  CHECK(text_after(tokenizer, "one END two", {"two", "END"}, true) == "one ");
  CHECK(text_after(tokenizer, "abc", {"bc", "c"}, true) == "a");
  CHECK(text_after(tokenizer, "none of them", {"END", ""}, false) == "none of them");
  CHECK(text_after(tokenizer, "h\xc3\xa9", {"\u00e9"}, true) == "h");
}

TEST_CASE("A character that is cut off is held back", "[generated_text]") {
  const Tokenizer tokenizer = small_tokenizer();
  CHECK(text_after(tokenizer, "h\xc3", {}, false) == "h");
  CHECK(text_after(tokenizer, "h\xc3\xa9", {}, false) == "h\u00e9");
}

TEST_CASE("Tokens that end a turn are known by name", "[generated_text]") {
  CHECK(ending_tokens(small_tokenizer()) == Ids{258});
}

}  // namespace
}  // namespace micius
