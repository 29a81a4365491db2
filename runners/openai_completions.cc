#include "runners/openai_completions.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "net/api_json.h"

namespace micius {
namespace {

ApiError no_echo(std::string why) { return no_answer(ApiErrorKind::kBadResponse, std::move(why)); }

const Json* list_at(const Json& json, std::string_view path) {
  const Json* list = find_json(json, path);
  return list != nullptr && list->is_array() ? list : nullptr;
}

bool is_logprob(const Json& value) {
  return value.is_number() && std::isfinite(value.get<double>()) && value.get<double>() <= 0;
}

// {"ID": {"logprob", "rank", "decoded_token"}, ..}: the token itself and the k best.
std::variant<EchoReply, ApiError> read_by_id(const Json& list, const ApiTokenIds& ids) {
  if (list.size() != ids.size())
    return no_echo(fmt::format("{} prompt_logprobs for {} tokens", list.size(), ids.size()));
  EchoReply echo;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    EchoToken token;
    if (i > 0) {
      const auto own = list[i].is_object() ? list[i].find(std::to_string(ids[i])) : list[i].end();
      const Json* logprob = own != list[i].end() ? find_json(*own, "logprob") : nullptr;
      if (logprob == nullptr || !is_logprob(*logprob))
        return no_echo(fmt::format("no log-probability of prompt token {}", i));
      token.logprob = logprob->get<double>();
      token.is_best = count_at(*own, "rank") == 1;
    }
    echo.tokens.push_back(token);
  }
  return echo;
}

// Is `logprob` the highest of `best`, a list of tokens by their text?
std::optional<bool> is_highest(double logprob, const Json& best) {
  if (!best.is_object() || best.empty()) return std::nullopt;
  bool is_best = true;
  for (const Json& other : best) {
    if (!other.is_number()) return std::nullopt;
    is_best = is_best && logprob >= other.get<double>();
  }
  return is_best;
}

// The four parallel lists, one entry a token, of which the first `prompt_tokens` are the prompt's.
std::variant<EchoReply, ApiError> read_lists(const Json& lists, std::size_t prompt_tokens,
                                             std::size_t written_tokens) {
  const Json* tokens = list_at(lists, "tokens");
  const Json* logprobs = list_at(lists, "token_logprobs");
  const Json* best = list_at(lists, "top_logprobs");
  if (tokens == nullptr || logprobs == nullptr || best == nullptr)
    return no_echo("logprobs without tokens, token_logprobs and top_logprobs");
  if (tokens->size() != prompt_tokens + written_tokens || logprobs->size() != tokens->size() ||
      best->size() != tokens->size() || prompt_tokens == 0) {
    return no_echo(fmt::format("{} tokens with log-probabilities where the prompt has {} and the answer {}",
                               tokens->size(), prompt_tokens, written_tokens));
  }
  EchoReply echo;
  for (std::size_t i = 0; i < prompt_tokens; ++i) {
    EchoToken token;
    if (i == 0) {
      if (!(*logprobs)[0].is_null()) return no_echo("the first token has a log-probability");
    } else {
      if (!is_logprob((*logprobs)[i])) return no_echo(fmt::format("no log-probability of token {}", i));
      token.logprob = (*logprobs)[i].get<double>();
      const auto highest = is_highest(*token.logprob, (*best)[i]);
      if (!highest) return no_echo(fmt::format("no top_logprobs of token {}", i));
      token.is_best = *highest;
    }
    echo.tokens.push_back(token);
  }
  return echo;
}

// Places each token in the text of the prompt. A token that the server put before it (BOS) takes no
// characters, whatever the server says.
std::optional<ApiError> place_tokens(EchoReply& echo, const Json& lists, const std::string& prompt) {
  const Json* offsets = list_at(lists, "text_offset");
  const Json& tokens = *list_at(lists, "tokens");
  if (offsets == nullptr || offsets->size() != tokens.size()) return no_echo("no text_offset for each token");
  const std::string first = scalar_text(tokens.front()).value_or("");
  const bool has_added = !prompt.starts_with(first);
  const std::size_t added = has_added ? code_points(first) : 0, characters = code_points(prompt);
  std::size_t last = 0;
  for (std::size_t i = 0; i < echo.tokens.size(); ++i) {
    if (!(*offsets)[i].is_number_unsigned()) return no_echo("a text_offset that is no count");
    auto begin = (*offsets)[i].get<std::size_t>();
    const bool counts_added = has_added && i > 0 && (*offsets)[1].get<std::size_t>() >= added;
    begin = counts_added ? begin - std::min(begin, added) : begin;
    if (begin < last || begin > characters) return no_echo("text_offset that is not the prompt's");
    echo.tokens[i].begin = last = begin;
    if (i > 0) echo.tokens[i - 1].end = begin;
  }
  echo.tokens.back().end = characters;
  // What was written begins where the prompt ends, else the offsets are of another text than ours.
  if (offsets->size() == echo.tokens.size()) return std::nullopt;
  const Json& written = (*offsets)[echo.tokens.size()];
  if (!written.is_number_unsigned()) return no_echo("a text_offset that is no count");
  const auto end = written.get<std::size_t>();
  if (end != characters && (!has_added || end != characters + added))
    return no_echo("text_offset that is not the prompt's");
  return std::nullopt;
}

}  // namespace

Json echo_body(const EchoPrompt& prompt, const std::string& model) {
  Json body = {{"model", model}};
  if (const auto* ids = std::get_if<ApiTokenIds>(&prompt)) {
    body["prompt"] = *ids;
    body["prompt_logprobs"] = 1;  // by id, where the server has it: two tokens may have one spelling
  } else {
    body["prompt"] = std::get<std::string>(prompt);
  }
  // Not max_tokens 0: servers write one token all the same.
  body.update({{"max_tokens", 1}, {"temperature", 0}, {"logprobs", 1}, {"echo", true}});
  return body;
}

std::variant<EchoReply, ApiError> read_echo(const HttpHead& head, const std::string& body,
                                            const EchoPrompt& prompt,
                                            std::chrono::system_clock::time_point now) {
  const auto object = read_object(head, body, now);
  if (const auto* error = std::get_if<ApiError>(&object)) return *error;
  const Json& json = std::get<Json>(object);
  const Json* choices = list_at(json, "choices");
  if (choices == nullptr || choices->empty()) return no_echo("no choices in " + kept(dump_json(json)));
  const Json& choice = choices->front();
  ApiReply reply;
  reply.prompt_tokens = count_at(json, "usage.prompt_tokens");
  reply.cached_tokens = count_at(json, "usage.prompt_tokens_details.cached_tokens");
  reply.completion_tokens = count_at(json, "usage.completion_tokens");
  reply.finish = text_at(choice, "finish_reason");
  reply.model = text_at(json, "model");
  reply.fingerprint = text_at(json, "system_fingerprint");

  const auto* ids = std::get_if<ApiTokenIds>(&prompt);
  const Json* by_id = list_at(choice, "prompt_logprobs");
  const Json* lists = find_json(choice, "logprobs");
  const bool has_ids = ids != nullptr && by_id != nullptr;
  if (!has_ids && (lists == nullptr || !lists->is_object())) return no_echo("no logprobs");
  auto echo = has_ids ? read_by_id(*by_id, *ids)
                      : read_lists(*lists, static_cast<std::size_t>(reply.prompt_tokens),
                                   static_cast<std::size_t>(reply.completion_tokens));
  auto* read = std::get_if<EchoReply>(&echo);
  if (read == nullptr) return echo;
  if (ids == nullptr) {
    if (auto error = place_tokens(*read, *lists, std::get<std::string>(prompt))) return *std::move(error);
  } else if (read->tokens.size() != ids->size()) {
    return no_echo(fmt::format("{} tokens where {} were sent", read->tokens.size(), ids->size()));
  }
  read->reply = std::move(reply);
  return echo;
}

Seam seam_at(const EchoReply& echo, std::size_t characters) {
  const auto first = std::find_if(echo.tokens.begin(), echo.tokens.end(), [&](const EchoToken& token) {
    return token.begin >= characters && token.end > token.begin;
  });
  Seam seam{static_cast<std::size_t>(first - echo.tokens.begin()), false};
  seam.straddles = seam.token > 0 && echo.tokens[seam.token - 1].end > characters;
  return seam;
}

std::variant<Likelihood, Failure> weigh_from(const EchoReply& echo, std::size_t first) {
  if (first >= echo.tokens.size())
    return Failure{"empty_continuation", "the continuation has no token of its own"};
  if (first == 0) return Failure{"empty_context", "the first token of a prompt has no log-probability"};
  Likelihood sum{0, 0, true};
  for (std::size_t i = first; i < echo.tokens.size(); ++i) {
    sum.logprob += *echo.tokens[i].logprob;
    sum.greedy = sum.greedy && echo.tokens[i].is_best;
    ++sum.tokens;
  }
  return sum;
}

Json tokenize_body(const std::string& text, const std::string& model) {
  return {{"model", model}, {"prompt", text}};
}

std::variant<ApiTokenIds, ApiError> read_tokenized(const HttpHead& head, const std::string& body,
                                                   std::chrono::system_clock::time_point now) {
  const auto object = read_object(head, body, now);
  if (const auto* error = std::get_if<ApiError>(&object)) return *error;
  const Json* tokens = list_at(std::get<Json>(object), "tokens");
  if (tokens == nullptr) return no_echo("no tokens in " + kept(body));
  ApiTokenIds ids;
  for (const Json& token : *tokens) {
    if (!token.is_number_integer()) return no_echo("a token that is no id in " + kept(body));
    ids.push_back(token.get<std::int64_t>());
  }
  return ids;
}

}  // namespace micius
