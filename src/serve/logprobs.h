// Log-probabilities of tokens in the two shapes of OpenAI's API.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "engine/job.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

enum class TokenStyle { kText, kId };

// How answers write a token: its text, "bytes:\xe2\x80" where that is no whole characters, "token_id:5".
std::string token_name(const Tokenizer& tokenizer, TokenId id, TokenStyle style);

// The chat shape: {"content": [{"token", "logprob", "bytes", "top_logprobs": [..]}], "refusal": null}.
Json chat_logprobs(const Tokenizer& tokenizer, std::span<const TokenLogprobs> tokens, TokenStyle style);

// Where tokens begin in a text that is put together from them, in characters: a token that begins inside a
// character has the place of that character.
class TextOffsets {
 public:
  explicit TextOffsets(std::size_t first = 0) : leads_(first) {}
  std::size_t next(std::string_view bytes);  // of the token with these bytes

 private:
  std::size_t leads_;  // characters that have begun
};

// The classic shape: four lists, one entry a token. Null stands for the first token of a prompt. Of tokens
// with the same name only the likeliest is in top_logprobs, which has the token itself, too.
class ClassicLogprobs {
 public:
  ClassicLogprobs(const Tokenizer& tokenizer, TokenStyle style) : tokenizer_(&tokenizer), style_(style) {}

  void add_first(TokenId id, std::size_t offset);
  void add(const TokenLogprobs& token, std::size_t offset);
  // Offsets behind `length`, which a stop string leaves, become it.
  Json json(std::size_t length) const;

 private:
  const Tokenizer* tokenizer_;
  TokenStyle style_;
  Json tokens_ = Json::array(), logprobs_ = Json::array(), top_ = Json::array();
  std::vector<std::size_t> offsets_;
};

}  // namespace micius
