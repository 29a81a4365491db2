#include "serve/shapes.h"

#include <bit>
#include <cstring>
#include <utility>

#include "base/base64.h"

namespace micius {
namespace {

Json head_json(const AnswerHead& head, std::string_view object) {
  return {{"id", head.id}, {"object", object}, {"created", head.created}, {"model", head.model}};
}

std::string_view chunk_object(const AnswerHead& head) {
  return head.api == ServedApi::kChat ? "chat.completion.chunk" : "text_completion";
}

Json chunk_with(const AnswerHead& head, Json choice) {
  Json chunk = head_json(head, chunk_object(head));
  chunk["choices"] = Json::array({std::move(choice)});
  return chunk;
}

}  // namespace

Json usage_json(const TokenUsage& usage) {
  return {{"prompt_tokens", usage.prompt},
          {"completion_tokens", usage.completion},
          {"total_tokens", usage.prompt + usage.completion}};
}

Json answer_json(const AnswerHead& head, const std::vector<ServedChoice>& choices, const TokenUsage& usage) {
  const bool is_chat = head.api == ServedApi::kChat;
  Json answer = head_json(head, is_chat ? "chat.completion" : "text_completion");
  answer["choices"] = Json::array();
  for (const ServedChoice& choice : choices) {
    Json json = {{"index", choice.index}};
    if (is_chat) {
      json["message"] = {{"role", "assistant"}, {"content", choice.text}, {"refusal", nullptr}};
    } else {
      json["text"] = choice.text;
    }
    json["logprobs"] = choice.logprobs;
    json["finish_reason"] = choice.finish;
    answer["choices"].push_back(std::move(json));
  }
  answer["usage"] = usage_json(usage);
  return answer;
}

Json begin_chunk(const AnswerHead& head, std::size_t index) {
  return chunk_with(head, {{"index", index},
                           {"delta", {{"role", "assistant"}, {"content", ""}}},
                           {"logprobs", nullptr},
                           {"finish_reason", nullptr}});
}

Json chunk_json(const AnswerHead& head, ServedChoice choice) {
  Json json = {{"index", choice.index}};
  if (head.api == ServedApi::kText) {
    json["text"] = std::move(choice.text);
  } else {
    json["delta"] = Json::object();
    if (choice.finish.is_null()) json["delta"]["content"] = std::move(choice.text);
  }
  json["logprobs"] = std::move(choice.logprobs);
  json["finish_reason"] = std::move(choice.finish);
  return chunk_with(head, std::move(json));
}

Json usage_chunk(const AnswerHead& head, const TokenUsage& usage) {
  Json chunk = head_json(head, chunk_object(head));
  chunk["choices"] = Json::array();
  chunk["usage"] = usage_json(usage);
  return chunk;
}

Json embeddings_json(const std::string& model, std::span<const float> rows, std::size_t dim,
                     VectorEncoding encoding, std::size_t tokens) {
  static_assert(std::endian::native == std::endian::little);
  Json data = Json::array();
  for (std::size_t first = 0; first + dim <= rows.size(); first += dim) {
    const std::span<const float> row = rows.subspan(first, dim);
    Json vector;
    if (encoding == VectorEncoding::kBase64) {
      vector = encode_base64({reinterpret_cast<const char*>(row.data()), row.size_bytes()});
    } else {
      vector = std::vector<float>(row.begin(), row.end());
    }
    data.push_back({{"object", "embedding"}, {"index", data.size()}, {"embedding", std::move(vector)}});
  }
  return {{"object", "list"},
          {"data", std::move(data)},
          {"model", model},
          {"usage", {{"prompt_tokens", tokens}, {"total_tokens", tokens}}}};
}

}  // namespace micius
