#include "runners/api_link.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "net/api_verdict.h"
#include "runners/openai_chat.h"

namespace micius {
namespace {

constexpr int kHopelessRequests = 3;  // wrong from the first on

bool is_known_finish(std::string_view word) {
  static constexpr std::array<std::string_view, 13> kWords = {"stop",
                                                              "length",
                                                              "content_filter",
                                                              "tool_calls",
                                                              "function_call",
                                                              "end_turn",
                                                              "max_tokens",
                                                              "tool_use",
                                                              "stop_sequence",
                                                              "refusal",
                                                              "pause_turn",
                                                              "eos",
                                                              "model_context_window_exceeded"};
  return std::find(kWords.begin(), kWords.end(), word) != kWords.end();
}

}  // namespace

ApiFields fields_for(const ApiEndpoint& endpoint) {
  switch (endpoint.kind) {
    case ApiKind::kOpenAi:
      return chat_fields_for(endpoint.model, endpoint.url + "/");
    case ApiKind::kAzure: {  // the name of a deployment says nothing sure of its model
      ApiFields fields = chat_fields_for(endpoint.model, endpoint.url + "/");
      if (endpoint.query.empty()) fields.max_tokens = "max_completion_tokens";
      return fields;
    }
    case ApiKind::kAnthropic: {
      ApiFields fields;
      fields.min_p = fields.seed = false;
      return fields;
    }
  }
  return {};
}

ApiLink::ApiLink(const ApiEndpoint& endpoint, const ApiSettings& settings, const Clock& clock, Log* log)
    : endpoint_(endpoint),
      settings_(settings),
      clock_(clock),
      log_(log),
      name_(fmt::format("{}:{}", api_kind_name(endpoint.kind), endpoint.model)),
      price_(settings.prices.at(api_kind_name(endpoint.kind), endpoint.url)
                 .find(api_kind_name(endpoint.kind), endpoint.model, settings.day,
                       settings.batching == ApiBatching::kOn ? Tariff::kBatch : Tariff::kAtOnce)),
      purse_(price_,
             settings.budgets != nullptr
                 ? settings.budgets->of(fmt::format("{}:{}", api_kind_name(endpoint.kind), endpoint.source),
                                        settings.budget_usd)
                 : std::make_shared<ApiBudget>(settings.budget_usd),
             settings.shared),
      fields_(fields_for(endpoint)) {
  if (settings.shared != nullptr) pace_.emplace(*settings.shared, clock);
  if (has_budget() && !price_) {
    fail(ErrorCode::kUsage,
         "--budget: no price of {} at {} is known; name a list whose row has this \"url\" with --prices FILE",
         name_, shown_url(endpoint.url));
  }
}

bool ApiLink::has_budget() const {
  return settings_.budget_usd || (settings_.shared != nullptr && settings_.shared->has_budget());
}

ApiAdmission ApiLink::admit(const BilledTokens& most, double tokens) {
  if (!pace_) return purse_.admit(most);
  const auto now = clock_.now();
  if (const auto at = pace_->earliest(now, tokens); at > now) return {.what = ApiAdmit::kWait, .again = at};
  ApiAdmission admission = purse_.admit(most);
  if (admission.what == ApiAdmit::kSend) pace_->sent(tokens);
  return admission;
}

ApiAdmission ApiLink::admit_written(const BilledTokens& most, double tokens) {
  if (has_budget() && fields_.max_tokens.empty()) {
    return {ApiAdmit::kStop, "budget",
            name_ +
                ": the server takes no limit of an answer's length, so nothing bounds what one costs; "
                "--budget cannot be kept there, run it without"};
  }
  return admit(most, tokens);
}

HttpRequest ApiLink::request(const std::string& path, const Json& body) const {
  return request_at(endpoint_.url + path + endpoint_.query, body);
}

HttpRequest ApiLink::request_at(const std::string& url, const Json& body) const {
  HttpRequest request{.method = "POST", .url = url};
  request.headers = endpoint_.headers;
  request.headers.push_back({"Content-Type", "application/json"});
  request.body = dump_json(body);
  request.limits.total = settings_.timeout;
  request.limits.idle = longest_silence();
  return request;
}

std::chrono::milliseconds ApiLink::longest_silence() const {
  return std::min<std::chrono::milliseconds>(std::chrono::seconds(300), settings_.timeout);
}

void ApiLink::warn_once(const std::string& message) {
  if (log_ != nullptr && warned_.insert(message).second) log_->warning(name_ + ": " + message);
}

void ApiLink::answered(const ApiReply& reply, const BilledTokens& most) {
  has_answered_ = true;
  const BilledTokens counted{reply.prompt_tokens, reply.cached_tokens, reply.completion_tokens,
                             reply.cache_write_tokens};
  purse_.pay(reply.prompt_tokens > 0 ? counted : most);
  // A dated name, or a path's end, is the same model.
  const std::string served = safe(reply.model);
  const bool is_named = endpoint_.kind != ApiKind::kAzure;  // there it is the deployment's own name
  if (is_named && !served.empty() && !served.starts_with(endpoint_.model) &&
      !endpoint_.model.ends_with(served)) {
    warn_once(fmt::format("asked for model '{}', '{}' answers", endpoint_.model,
                          shorten(visible_line(served), 80)));
  }
  if (!reply.finish.empty() && !is_known_finish(reply.finish)) {
    warn_once(fmt::format("the server ends answers with '{}', which is taken for a stop",
                          shorten(visible_line(safe(reply.finish)), 40)));
  }
  if (reply.marks.had_twin_keys) warn_once("an answer names a key of an object twice; the last one counts");
  if (reply.fingerprint.empty()) return;
  if (!fingerprint_.empty() && reply.fingerprint != fingerprint_ && !has_changed_) {
    has_changed_ = true;
    warn_once(fmt::format(
        "the server's system_fingerprint changed from '{}' to '{}': the same seeds may give "
        "other answers",
        shorten(visible_line(safe(fingerprint_)), 60), shorten(visible_line(safe(reply.fingerprint)), 60)));
  }
  fingerprint_ = reply.fingerprint;
}

std::vector<Attempt> ApiLink::attempts(const ApiEnd& end, Clock::time_point planned, std::size_t part) const {
  const auto since = [](Clock::time_point from, Clock::time_point to) {
    return std::max(std::chrono::nanoseconds(0),
                    std::chrono::duration_cast<std::chrono::nanoseconds>(to - from));
  };
  const auto whole = [](const std::optional<Seconds>& wait) {
    return wait ? std::optional(std::chrono::duration_cast<std::chrono::nanoseconds>(*wait)) : std::nullopt;
  };
  std::vector<Attempt> attempts;
  for (const ApiAttempt& sent : end.log) {
    Attempt& attempt = attempts.emplace_back();
    attempt.part = part;
    attempt.began = since(planned, sent.began);
    attempt.ended = since(planned, sent.ended);
    attempt.status = sent.status;
    attempt.code = sent.code;
    attempt.message = safe(sent.message);
    attempt.wait_asked = whole(sent.wait_asked);
    attempt.waited = whole(sent.waited);
    attempt.request_id = safe(sent.request_id);
    attempt.bytes = sent.bytes;
    attempt.invalid_utf8_sha256 = sent.invalid_utf8_sha256;
  }
  return attempts;
}

// What a user may have meant.
std::string ApiLink::models_text() const {
  constexpr std::size_t kNamed = 5;
  if (models_.empty()) return "";
  std::string meant = did_you_mean(endpoint_.model, models_);
  if (!meant.empty() || models_.size() > kNamed) return meant;
  return "; it has " + join(models_, ", ");
}

ApiVerdict ApiLink::stop_on(const ApiError& error, std::string_view words, std::string_view hint) const {
  return {ApiNext::kStop, std::string(api_error_name(error.kind)), fmt::format("{}; {}", words, hint)};
}

ApiVerdict ApiLink::verdict_on(const ApiError& error, const ApiAnswer& answer, const ApiFields& sent) {
  const std::string code(api_error_name(error.kind));
  const std::string status =
      fmt::format("{}: HTTP {}{}", endpoint_.url, error.status, error.code.empty() ? "" : " " + error.code);
  const std::string words = fmt::format("{}: {}", status, error.message);
  switch (error.kind) {
    case ApiErrorKind::kContextExceeded:
      return {ApiNext::kFail, "context_too_long", words};
    case ApiErrorKind::kUnsupportedField:
      // Another request may have learned it meanwhile.
      if (sent != fields_ || drop_field(fields_, error.field)) {
        warn_once(fmt::format("the server does not take '{}'; it is left out or renamed",
                              shorten(visible_line(error.field), 40)));
        return {ApiNext::kAgain, code, words};
      }
      return {ApiNext::kFail, "request", words};
    case ApiErrorKind::kAuth:  // not the server's words, which may hold the key in another form
      return stop_on(error, status,
                     fmt::format("see that {} is a key for this server and model", endpoint_.key_name));
    case ApiErrorKind::kQuota:
      return stop_on(error, words, "the account has no money or quota left");
    case ApiErrorKind::kConfig:
      return stop_on(error, words, "redirects are not followed; give the address that it leads to");
    case ApiErrorKind::kNotFound:  // deployments move
      if (has_answered_ && answer.attempt <= 2) return {ApiNext::kRetry, code, words};
      return stop_on(
          error, words,
          endpoint_.kind == ApiKind::kAzure
              ? "see that the deployment is there, and that --api-version is one of this resource"
              : "see that the model is there and that the address ends as the server wants it (/v1)" +
                    models_text());
    case ApiErrorKind::kRequest:
      if (error.may_retry) break;
      if (!has_answered_ && ++wrong_requests_ >= kHopelessRequests)
        return stop_on(error, words, "the first requests all were refused as wrong");
      return {ApiNext::kFail, code, words};
    default:
      break;
  }
  return verdict_by_status(error, words);
}

}  // namespace micius
