// Answers in the shapes of OpenAI's API.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/vector_encoding.h"

namespace micius {

enum class ServedApi { kChat, kText };

struct AnswerHead {
  ServedApi api;
  std::string id, model;
  std::int64_t created;  // seconds since 1970
};

struct TokenUsage {
  std::size_t prompt = 0, completion = 0;
};
Json usage_json(const TokenUsage& usage);

// One choice of an answer, or what is new of it. `finish`: "stop", "length", or null.
struct ServedChoice {
  std::size_t index;
  std::string text;
  Json logprobs, finish;
};

// The whole answer.
Json answer_json(const AnswerHead& head, const std::vector<ServedChoice>& choices, const TokenUsage& usage);

// Of a stream: how a choice of the chat API begins; what is new of a choice; the usage at the end.
Json begin_chunk(const AnswerHead& head, std::size_t index);
Json chunk_json(const AnswerHead& head, ServedChoice choice);
Json usage_chunk(const AnswerHead& head, const TokenUsage& usage);

// `rows`: [texts, dim].
Json embeddings_json(const std::string& model, std::span<const float> rows, std::size_t dim,
                     VectorEncoding encoding, std::size_t tokens);

}  // namespace micius
