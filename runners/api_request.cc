#include "runners/api_request.h"

#include <utility>
#include <variant>

#include "base/text.h"
#include "runners/anthropic_messages.h"
#include "runners/openai_chat.h"

namespace micius {

std::unique_ptr<ApiShape> shape_for(const ApiEndpoint& endpoint) {
  if (endpoint.kind == ApiKind::kAnthropic) return messages_shape(endpoint.model);
  return chat_shape(endpoint.model);
}

RunnerInfo api_runner_info(const ApiLink& link) {
  const ApiEndpoint& endpoint = link.endpoint();
  const ApiSettings& settings = link.settings();
  RunnerInfo info;
  info.name = link.name();
  info.kind = api_kind_name(endpoint.kind);
  info.url = endpoint.url;
  info.weighs = false;
  info.chat_template = true;
  info.max_in_flight = settings.concurrency.value_or(kFoundOutConcurrency);
  info.options["api"] = endpoint.kind == ApiKind::kAnthropic ? "messages" : "chat";
  if (!endpoint.query.empty())
    info.options["api_version"] = endpoint.query.substr(endpoint.query.find('=') + 1);
  if (settings.truncation == ApiTruncation::kLeft) info.options["truncate"] = "left";
  if (!link.fields().temperature) info.options["sampling"] = "the provider's";
  if (const auto& price = link.price()) info.environment["price"] = to_json(*price);
  if (settings.batching == ApiBatching::kOn) info.environment["batch"] = true;
  return info;
}

std::optional<Failure> refused_by(const ApiLink& link, const RunnerInfo& info, const Request& request) {
  if (link.endpoint().kind == ApiKind::kAnthropic && request.options.temperature > 1) {
    return Failure{"request", info.name + ": a temperature of more than 1, which this API does not have", 1,
                   true};
  }
  const auto* weigh = std::get_if<LikelihoodInput>(&request.prompt.input);
  if (weigh == nullptr) return std::nullopt;
  if (!info.weighs) return Failure{"no_likelihoods", info.name + " gives no log-likelihoods"};
  if (weigh->is_chat()) {
    return Failure{"no_chat_template",
                   info.name +
                       ": a conversation before a choice needs the model's template, which a server "
                       "does not lend; try --chat-template off",
                   1, true};
  }
  return std::nullopt;
}

std::size_t bytes_of(const GenerateInput& input) {
  std::size_t bytes = 0;
  for (const Message& message : input.messages) bytes += message.content.size();
  return bytes;
}

BilledTokens most_billed(const Request& request) {
  const auto& input = std::get<GenerateInput>(request.prompt.input);
  return {most_tokens(bytes_of(input), input.messages.size()), 0, request.options.max_tokens};
}

void fill(Completion& completion, ApiReply reply, const Request& request, const ApiLink& link) {
  constexpr std::size_t kSecret = 16;  // a shorter one may be a word
  const std::string& key = link.endpoint().secret;
  completion.text = std::move(reply.text).value_or("");
  if (key.size() >= kSecret) completion.text = replace_all(std::move(completion.text), key, "***");
  completion.stop_reason = reply.stop_reason;
  if (cut_at_stop(completion.text, request.options.stop)) completion.stop_reason = StopReason::kStop;
  completion.prompt_tokens = reply.prompt_tokens;
  completion.cached_tokens = reply.cached_tokens;
  completion.cache_write_tokens = reply.cache_write_tokens;
  completion.completion_tokens = reply.completion_tokens;
}

}  // namespace micius
