// The bodies of requests to OpenAI's API, read and checked. Fields that are not known are ignored; those that
// are known, would change the answer and are not there (tools, penalties, ...) are refused by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "engine/chat_prompt.h"
#include "engine/job.h"
#include "serve/refusal.h"

namespace micius {

inline constexpr int kMostChoices = 256;              // of one request: prompts times n
inline constexpr std::size_t kMostEmbeddings = 2048;  // texts of one request

// What chat and text completions have in common.
struct GenerateParams {
  std::string model;              // empty: not said
  std::optional<int> max_tokens;  // absent: what the endpoint takes by default
  SamplingOptions sampling{1, 0, 1, 0};
  std::vector<std::string> stop;
  std::optional<std::int64_t> seed;  // absent: another one each time
  int n = 1;
  std::optional<std::size_t> best;  // log-probabilities, and of so many of the likeliest
  bool stream = false, include_usage = false;
  bool tokens_as_ids = false;  // "token_id:5" instead of the token's text
};

struct ChatCompletionRequest {
  GenerateParams params;
  std::vector<ChatMessage> messages;
};

using TextOrIds = std::variant<std::string, std::vector<TokenId>>;

struct TextCompletionRequest {
  GenerateParams params;
  std::vector<TextOrIds> prompts;
  bool echo = false;
};

struct EmbeddingsRequest {
  std::string model;  // empty: not said
  std::vector<std::string> texts;
  std::optional<std::int64_t> dimensions;
  bool base64 = false;
};

// All throw Refusal: 400 with the field that is wrong.
ChatCompletionRequest read_chat_completion(std::string_view body);
TextCompletionRequest read_text_completion(std::string_view body);
EmbeddingsRequest read_embeddings(std::string_view body);

}  // namespace micius
