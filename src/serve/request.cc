#include "serve/request.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "serve/fields.h"

namespace micius {
namespace {

constexpr int kMostTokens = std::numeric_limits<int>::max();
constexpr std::size_t kMostStops = 16, kLongestStop = 1024;  // bytes
constexpr std::int64_t kMostBest = 20;

Refusal unsupported(const std::string& field, const std::string& message) {
  return {400, "invalid_request_error", "unsupported_parameter", field, message};
}

// Fields that ask for what is not there, unless they have a value that asks for nothing.
void refuse_unsupported(const BodyFields& fields) {
  for (const char* key : {"presence_penalty", "frequency_penalty"}) {
    if (fields.number_if(key, -2, 2).value_or(0) != 0)
      throw unsupported(key, fmt::format("'{}' is not supported; leave it out or give 0", key));
  }
  for (const char* key : {"logit_bias", "tools", "functions", "suffix"}) {
    if (fields.has(key) && !fields.at(key).empty())
      throw unsupported(key, fmt::format("'{}' is not supported; leave it out", key));
  }
  if (!fields.has("response_format")) return;
  if (BodyFields(fields.at("response_format"), "response_format.").string("type") != "text")
    throw unsupported("response_format", "'response_format' can only be of type 'text'");
}

std::vector<std::string> stops_of(const BodyFields& fields) {
  std::vector<std::string> stops;
  if (!fields.has("stop")) return stops;
  const Json& value = fields.at("stop");
  if (value.is_string()) {
    stops.push_back(value.get<std::string>());
  } else if (value.is_array()) {
    for (const Json& item : value) {
      if (!item.is_string()) fields.mistyped("stop", "a string or a list of strings");
      stops.push_back(item.get<std::string>());
    }
  } else {
    fields.mistyped("stop", "a string or a list of strings");
  }
  const auto too_long = [](const std::string& stop) { return stop.size() > kLongestStop; };
  if (stops.size() > kMostStops || std::any_of(stops.begin(), stops.end(), too_long)) {
    throw bad_field(
        "stop", fmt::format("'stop' takes at most {} strings of at most {} bytes", kMostStops, kLongestStop));
  }
  return stops;
}

GenerateParams params_of(const BodyFields& fields) {
  refuse_unsupported(fields);
  GenerateParams params;
  params.model = fields.string_if("model").value_or("");
  params.sampling.temperature = fields.number_if("temperature", 0, 2).value_or(1);
  params.sampling.top_p = fields.number_if("top_p", 0, 1).value_or(1);
  params.sampling.top_k = static_cast<int>(fields.integer_if("top_k", -1, kMostTokens).value_or(0));
  params.sampling.top_k = std::max(params.sampling.top_k, 0);  // -1 is off for some clients
  params.sampling.min_p = fields.number_if("min_p", 0, 1).value_or(0);
  params.stop = stops_of(fields);
  params.seed = fields.integer_if("seed", std::numeric_limits<std::int64_t>::min(),
                                  std::numeric_limits<std::int64_t>::max());
  params.n = static_cast<int>(fields.integer_if("n", 1, kMostChoices).value_or(1));
  params.stream = fields.boolean_or("stream", false);
  params.tokens_as_ids = fields.boolean_or("return_tokens_as_token_ids", false);
  if (fields.has("stream_options")) {
    if (!params.stream) throw bad_field("stream_options", "'stream_options' is for requests with 'stream'");
    const BodyFields options(fields.at("stream_options"), "stream_options.");
    params.include_usage = options.boolean_or("include_usage", false);
  }
  return params;
}

std::string content_of(const BodyFields& message) {
  const Json& content = message.at("content");
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) message.mistyped("content", "a string or a list of parts");
  std::string text;
  for (std::size_t i = 0; i < content.size(); ++i) {
    const BodyFields part(content[i], fmt::format("{}[{}].", message.name("content"), i));
    if (part.string("type") != "text")
      throw unsupported(part.name("type"), fmt::format("'{}' can only be 'text'", part.name("type")));
    text += part.string("text");
  }
  return text;
}

ChatMessage message_of(const Json& item, std::size_t index) {
  const BodyFields message(item, fmt::format("messages[{}].", index));
  std::string role = message.string("role");
  if (role == "developer") role = "system";
  if (role != "system" && role != "user" && role != "assistant") {
    throw bad_field(message.name("role"),
                    fmt::format("'{}' must be system, developer, user or assistant, not '{}'",
                                message.name("role"), shorten(visible_line(role), 40)));
  }
  return {std::move(role), content_of(message)};
}

bool is_id_list(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_number_integer(); });
}

std::vector<TokenId> ids_of(const Json& list) {
  std::vector<TokenId> ids;
  for (const Json& item : list) {
    if (item < 0 || item > std::numeric_limits<TokenId>::max())
      throw bad_field("prompt", fmt::format("'prompt': {} is no token id", item.dump()));
    ids.push_back(item.get<TokenId>());
  }
  return ids;
}

std::vector<TextOrIds> prompts_of(const BodyFields& fields) {
  constexpr std::string_view kForms = "a string, a list of strings, of token ids, or of lists of token ids";
  const Json& value = fields.at("prompt");
  if (value.is_string()) return {value.get<std::string>()};
  if (is_id_list(value)) return {ids_of(value)};
  if (!value.is_array() || value.empty()) fields.mistyped("prompt", kForms);
  std::vector<TextOrIds> prompts;
  for (const Json& item : value) {
    if (item.is_string()) {
      prompts.emplace_back(item.get<std::string>());
    } else if (is_id_list(item)) {
      prompts.emplace_back(ids_of(item));
    } else {
      fields.mistyped("prompt", kForms);
    }
  }
  return prompts;
}

}  // namespace

ChatCompletionRequest read_chat_completion(std::string_view body) {
  const Json json = read_body(body);
  const BodyFields fields(json, "");
  ChatCompletionRequest request{params_of(fields), {}};
  const Json& messages = fields.at("messages");
  if (!messages.is_array()) fields.mistyped("messages", "a list");
  if (messages.empty()) throw bad_field("messages", "'messages' must have at least one message");
  for (std::size_t i = 0; i < messages.size(); ++i) request.messages.push_back(message_of(messages[i], i));
  auto max_tokens = fields.integer_if("max_completion_tokens", 1, kMostTokens);
  if (!max_tokens) max_tokens = fields.integer_if("max_tokens", 1, kMostTokens);
  if (max_tokens) request.params.max_tokens = static_cast<int>(*max_tokens);
  const auto top = fields.integer_if("top_logprobs", 0, kMostBest);
  if (fields.boolean_or("logprobs", false)) {
    request.params.best = static_cast<std::size_t>(top.value_or(0));
  } else if (top.value_or(0) > 0) {
    throw bad_field("top_logprobs", "'top_logprobs' is for requests with 'logprobs': true");
  }
  return request;
}

TextCompletionRequest read_text_completion(std::string_view body) {
  const Json json = read_body(body);
  const BodyFields fields(json, "");
  TextCompletionRequest request{params_of(fields), prompts_of(fields), fields.boolean_or("echo", false)};
  GenerateParams& params = request.params;
  const auto max_tokens = fields.integer_if("max_tokens", 0, kMostTokens);
  if (max_tokens) params.max_tokens = static_cast<int>(*max_tokens);
  if (const auto best = fields.integer_if("logprobs", 0, kMostBest))
    params.best = static_cast<std::size_t>(*best);
  if (fields.integer_if("best_of", 1, kMostChoices).value_or(params.n) != params.n)
    throw unsupported("best_of", "'best_of' is not supported; leave it out");
  if (request.prompts.size() * static_cast<std::size_t>(params.n) > kMostChoices) {
    throw bad_field("prompt",
                    fmt::format("{} prompts with 'n' {} are more than {} choices; send several requests",
                                request.prompts.size(), params.n, kMostChoices));
  }
  if (request.echo && params.stream && params.best)
    throw unsupported("stream", "log-probabilities of an echoed prompt are not streamed; leave 'stream' out");
  return request;
}

EmbeddingsRequest read_embeddings(std::string_view body) {
  const Json json = read_body(body);
  const BodyFields fields(json, "");
  EmbeddingsRequest request;
  request.model = fields.string_if("model").value_or("");
  const Json& input = fields.at("input");
  const Json list = input.is_array() ? input : Json::array({input});
  for (const Json& text : list) {
    if (!text.is_string()) fields.mistyped("input", "a string or a list of strings");
    request.texts.push_back(text.get<std::string>());
  }
  if (request.texts.empty() || request.texts.size() > kMostEmbeddings)
    throw bad_field("input", fmt::format("'input' must have 1 to {} texts", kMostEmbeddings));
  if (std::find(request.texts.begin(), request.texts.end(), "") != request.texts.end())
    throw bad_field("input", "'input' must not have an empty text");
  request.dimensions = fields.integer_if("dimensions", 1, kMostTokens);
  const std::string encoding = fields.string_if("encoding_format").value_or("float");
  if (encoding != "float" && encoding != "base64")
    throw bad_field("encoding_format", "'encoding_format' must be float or base64");
  request.base64 = encoding == "base64";
  return request;
}

}  // namespace micius
