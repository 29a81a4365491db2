#include "runners/openai_runner.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "net/api_queue.h"
#include "runners/openai_chat.h"

namespace micius {
namespace {

constexpr const char* kOpenAi = "https://api.openai.com/v1";
constexpr std::size_t kFoundOutConcurrency = 64;
constexpr int kHopelessRequests = 3;  // wrong from the first on

struct Target {
  std::string model, url;
};

Target target_of(const std::string& argument, const std::string& base_url) {
  const std::size_t at = argument.find("@http");
  Target target{argument.substr(0, at), at == std::string::npos ? base_url : argument.substr(at + 1)};
  while (target.url.ends_with('/')) target.url.pop_back();
  if (target.url.empty()) target.url = kOpenAi;
  if (target.model.empty())
    fail(ErrorCode::kUsage, "'openai:{}': expected openai:NAME or openai:NAME@https://..", argument);
  return target;
}

bool is_loopback(std::string_view url) {
  const std::string_view host = url.substr(url.find("://") + 3);
  for (const std::string_view name : {"127.0.0.1", "localhost", "[::1]"}) {
    if (host.starts_with(name) && (host.size() == name.size() || host.find_first_of(":/") == name.size()))
      return true;
  }
  return false;
}

void check(const Target& target, const std::string& key) {
  const std::string shown = shown_url(target.url);
  const std::string scheme = lower_ascii(target.url.substr(0, target.url.find("://") + 3));
  if (scheme != "https://" && scheme != "http://")
    fail(ErrorCode::kUsage, "'{}' is no address of an API; expected https://host/v1", shown);
  if (shown != target.url && shown != target.url + "/") {
    fail(ErrorCode::kUsage, "{}: an address has neither password nor query; the key goes into OPENAI_API_KEY",
         shown);
  }
  if (scheme == "http://" && !key.empty() && !is_loopback(target.url)) {
    fail(ErrorCode::kUsage,
         "{}: a key is not sent over plain http to another machine; use https, or unset "
         "OPENAI_API_KEY",
         shown);
  }
  if (key.empty() && target.url == kOpenAi)
    fail(ErrorCode::kUsage, "{} wants a key: set OPENAI_API_KEY, or name another server with --base-url",
         shown);
}

class OpenAiRunner final : public Runner {
 public:
  OpenAiRunner(Target target, const ApiSettings& settings, const Clock& clock, Log* log);

  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override { queue_.drain(); }
  void cancel() override { queue_.cancel(); }

 private:
  class Call;

  ApiVerdict verdict_on(const ApiError& error, const ApiAnswer& answer, const ChatFields& sent);
  void warn_once(const std::string& message);
  std::string safe(std::string_view text) const { return without_secret(text, settings_.key); }

  const Target target_;
  const ApiSettings settings_;
  const Clock& clock_;
  Log* log_;
  RunnerInfo info_;
  // Of the queue's thread alone.
  ChatFields fields_;
  bool has_answered_ = false;
  int wrong_requests_ = 0;
  std::set<std::string> warned_;

  HttpClient client_;
  ApiQueue queue_;  // the last: its thread uses all above
};

class OpenAiRunner::Call final : public ApiCall {
 public:
  Call(OpenAiRunner& runner, Request asked, CompletionSink& sink)
      : runner_(runner), asked_(std::move(asked)), sink_(sink) {
    completion_.id = asked_.id;
    completion_.timing.planned = completion_.timing.sent = runner_.clock_.now();
    std::size_t bytes = 0;
    for (const Message& message : std::get<GenerateInput>(asked_.prompt.input).messages)
      bytes += message.content.size();
    tokens_ = static_cast<double>(bytes) / 4 + asked_.options.max_tokens;
  }

  HttpRequest request() override;
  double tokens() const override { return tokens_; }
  ApiVerdict judge(const ApiAnswer& answer) override;
  void ended(const ApiEnd& end) override;

 private:
  void take(ChatAnswer answer);

  OpenAiRunner& runner_;
  const Request asked_;
  CompletionSink& sink_;
  double tokens_ = 0;
  ChatFields sent_;
  Completion completion_;
};

HttpRequest OpenAiRunner::Call::request() {
  completion_.timing.sent = runner_.clock_.now();
  sent_ = runner_.fields_;
  HttpRequest request{.method = "POST", .url = runner_.target_.url + "/chat/completions"};
  request.headers = {{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  if (!runner_.settings_.key.empty())
    request.headers.push_back({"Authorization", "Bearer " + runner_.settings_.key});
  request.body = dump_json(chat_body(asked_, runner_.target_.model, sent_));
  request.limits.total = runner_.settings_.timeout;
  request.limits.idle =
      std::min<std::chrono::milliseconds>(std::chrono::seconds(300), runner_.settings_.timeout);
  return request;
}

ApiVerdict OpenAiRunner::Call::judge(const ApiAnswer& answer) {
  auto reading = read_chat(answer.head, answer.body, runner_.clock_.utc());
  if (auto* chat = std::get_if<ChatAnswer>(&reading)) {
    runner_.has_answered_ = true;
    take(std::move(*chat));
    return {};
  }
  const ApiError& error = std::get<ApiError>(reading);
  if (error.kind == ApiErrorKind::kRefused) {
    completion_.stop_reason = StopReason::kContentFilter;
    return {};
  }
  return runner_.verdict_on(error, answer, sent_);
}

void OpenAiRunner::Call::take(ChatAnswer answer) {
  const std::string& key = runner_.settings_.key;
  completion_.text = answer.text.value_or("");
  if (key.size() >= 16) completion_.text = replace_all(std::move(completion_.text), key, "***");
  completion_.stop_reason = answer.stop_reason;
  if (cut_at_stop(completion_.text, asked_.options.stop)) completion_.stop_reason = StopReason::kStop;
  completion_.prompt_tokens = answer.prompt_tokens;
  completion_.cached_tokens = answer.cached_tokens;
  completion_.completion_tokens = answer.completion_tokens;
  // A dated name, or a path's end, is the same model.
  const std::string& asked = runner_.target_.model;
  const std::string served = runner_.safe(answer.model);
  if (!served.empty() && !served.starts_with(asked) && !asked.ends_with(served))
    runner_.warn_once(
        fmt::format("asked for model '{}', '{}' answers", asked, shorten(visible_line(served), 80)));
}

void OpenAiRunner::Call::ended(const ApiEnd& end) {
  completion_.timing.done = runner_.clock_.now();
  if (end.next != ApiNext::kDone) {
    completion_.text.clear();
    completion_.stop_reason = StopReason::kFailed;
    completion_.failure =
        Failure{end.code, runner_.safe(end.message), end.attempts, end.next == ApiNext::kStop};
  }
  sink_.on_done(std::move(completion_));
}

OpenAiRunner::OpenAiRunner(Target target, const ApiSettings& settings, const Clock& clock, Log* log)
    : target_(std::move(target)),
      settings_(settings),
      clock_(clock),
      log_(log),
      fields_(chat_fields_for(target_.model, target_.url + "/")),
      client_({settings.user_agent, settings.ca_file}),
      queue_(client_, target_.url,
             {.governor = {.concurrency = settings.concurrency.value_or(kFoundOutConcurrency),
                           .first_concurrency = settings.concurrency.value_or(4),
                           .requests_per_minute = settings.requests_per_minute,
                           .tokens_per_minute = settings.tokens_per_minute},
              .retries = settings.retries,
              .first_wait = settings.first_wait}) {
  info_.name = "openai:" + target_.model;
  info_.kind = "openai";
  info_.url = target_.url;
  info_.weighs = false;
  info_.chat_template = true;
  info_.max_in_flight = settings.concurrency.value_or(kFoundOutConcurrency);
  info_.options["api"] = "chat";
  if (!fields_.temperature) info_.options["sampling"] = "the provider's";
}

void OpenAiRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  std::vector<std::unique_ptr<ApiCall>> calls;
  for (Request& request : requests) {
    if (std::holds_alternative<GenerateInput>(request.prompt.input)) {
      calls.push_back(std::make_unique<Call>(*this, std::move(request), sink));
      continue;
    }
    Completion completion;
    completion.id = request.id;
    completion.stop_reason = StopReason::kFailed;
    completion.failure = Failure{"no_likelihoods", info_.name + " gives no log-likelihoods"};
    sink.on_done(std::move(completion));
  }
  queue_.add(std::move(calls));
}

void OpenAiRunner::warn_once(const std::string& message) {
  if (log_ != nullptr && warned_.insert(message).second) log_->warning(info_.name + ": " + message);
}

ApiVerdict OpenAiRunner::verdict_on(const ApiError& error, const ApiAnswer& answer, const ChatFields& sent) {
  const std::string code(api_error_name(error.kind));
  const std::string words = fmt::format("{}: HTTP {}{}: {}", target_.url, answer.head.status,
                                        error.code.empty() ? "" : " " + error.code, error.message);
  const auto stop = [&](std::string_view hint) {
    return ApiVerdict{ApiNext::kStop, code, fmt::format("{}; {}", words, hint)};
  };
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
      return {ApiNext::kStop, code,
              fmt::format("{}: HTTP {}{}; see that OPENAI_API_KEY is a key for this server and model",
                          target_.url, answer.head.status, error.code.empty() ? "" : " " + error.code)};
    case ApiErrorKind::kQuota:
      return stop("the account has no money or quota left");
    case ApiErrorKind::kConfig:
      return stop("redirects are not followed; give the address that it leads to as --base-url");
    case ApiErrorKind::kNotFound:  // deployments move
      if (has_answered_ && answer.attempt <= 2) return {ApiNext::kRetry, code, words};
      return stop("see that the model is there and that the address ends as the server wants it (/v1)");
    case ApiErrorKind::kRequest:
      if (error.may_retry) break;
      if (!has_answered_ && ++wrong_requests_ >= kHopelessRequests)
        return stop("the first requests all were refused as wrong");
      return {ApiNext::kFail, code, words};
    default:
      break;
  }
  const int status = answer.head.status;
  return {error.may_retry ? ApiNext::kRetry : ApiNext::kFail, code, words,
          status == 429 || status == 503 || status == 529, error.wait};
}

}  // namespace

std::unique_ptr<Runner> make_openai_runner(const std::string& argument, const ApiSettings& settings,
                                           const Clock& clock, Log* log) {
  Target target = target_of(argument, settings.base_url);
  check(target, settings.key);
  return std::make_unique<OpenAiRunner>(std::move(target), settings, clock, log);
}

std::string openai_source(const std::string& argument, const std::string& base_url) {
  const Target target = target_of(argument, base_url);
  return target.url == kOpenAi ? target.model : target.model + "@" + target.url;
}

}  // namespace micius
