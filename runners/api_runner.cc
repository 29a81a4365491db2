#include "runners/api_runner.h"

#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "net/api_queue.h"
#include "runners/api_cut.h"
#include "runners/api_link.h"
#include "runners/api_probe.h"
#include "runners/api_request.h"
#include "runners/echo_weigher.h"
#include "runners/openai_chat.h"
#include "runners/stream_reader.h"

namespace micius {
namespace {

constexpr int kLongAnswer = 1024;  // tokens

ApiQueueOptions queue_options(const ApiSettings& settings) {
  return {.governor = {.concurrency = settings.concurrency.value_or(kFoundOutConcurrency),
                       .first_concurrency = settings.concurrency.value_or(4),
                       .requests_per_minute = settings.requests_per_minute,
                       .tokens_per_minute = settings.tokens_per_minute},
          .retries = settings.retries,
          .first_wait = settings.first_wait};
}

// A question that is answered in text.
class GenerateCall final : public ApiCall {
 public:
  GenerateCall(ApiLink& link, const ApiShape& shape, Request asked, CompletionSink& sink)
      : link_(link), shape_(shape), asked_(std::move(asked)), sink_(sink) {
    completion_.id = asked_.id;
    completion_.timing.planned = completion_.timing.sent = link_.clock().now();
    count_tokens();
  }

  ApiAdmission admit() override { return link_.admit_written(most_, tokens_); }
  void landed(ApiLanding how) override {
    link_.purse().release(most_);
    if (how == ApiLanding::kLost) link_.purse().pay(most_);
  }
  HttpRequest request() override;
  ApiReader* reader() override { return reader_.get(); }
  double tokens() const override { return tokens_; }
  ApiVerdict judge(const ApiAnswer& answer) override;
  void ended(const ApiEnd& end) override;

 private:
  ApiDelivery delivery() const;
  void count_tokens();
  void take(ApiReply reply);
  ApiVerdict too_long(const ApiError& error);

  ApiLink& link_;
  const ApiShape& shape_;
  Request asked_;
  CompletionSink& sink_;
  double tokens_ = 0;
  BilledTokens most_;
  std::optional<int> uncut_tokens_;  // of a prompt that was cut, as far as it is known
  ApiFields sent_;
  std::unique_ptr<StreamReader> reader_;
  Completion completion_;
};

void GenerateCall::count_tokens() {
  const std::size_t bytes = bytes_of(std::get<GenerateInput>(asked_.prompt.input));
  tokens_ = static_cast<double>(bytes) / 4 + asked_.options.max_tokens;
  most_ = most_billed(asked_);
}

ApiDelivery GenerateCall::delivery() const {
  switch (link_.settings().streaming) {
    case ApiStreaming::kAll:
      return ApiDelivery::kStreamed;
    case ApiStreaming::kNone:
      return ApiDelivery::kWhole;
    case ApiStreaming::kLong:
      break;
  }
  const bool is_long = asked_.options.max_tokens >= kLongAnswer || is_reasoning_model(link_.endpoint().model);
  return is_long ? ApiDelivery::kStreamed : ApiDelivery::kWhole;
}

HttpRequest GenerateCall::request() {
  completion_.timing.sent = link_.clock().now();
  completion_.timing.first_token.reset();
  sent_ = link_.fields();
  reader_.reset();
  const ApiDelivery how = delivery();
  if (how == ApiDelivery::kStreamed)
    reader_ = std::make_unique<StreamReader>(shape_.stream(), link_.clock(), link_.longest_silence());
  HttpRequest request = link_.request(shape_.path(), shape_.body(asked_, sent_, how));
  request.compressed =
      how == ApiDelivery::kWhole;  // what is compressed is held back until there is enough of it
  request.headers.push_back(
      {"Accept", how == ApiDelivery::kStreamed ? "text/event-stream, application/json" : "application/json"});
  return request;
}

ApiVerdict GenerateCall::judge(const ApiAnswer& answer) {
  const auto now = link_.clock().utc();
  ApiReading reading =
      reader_ ? reader_->reading(shape_, answer.head, now) : shape_.read(answer.head, answer.body, now);
  if (auto* reply = std::get_if<ApiReply>(&reading)) {
    ApiVerdict verdict;
    if (reply->marks.had_invalid_utf8)
      verdict.invalid_utf8_sha256 = reader_ ? reader_->sha256() : sha256_hex(answer.body);
    link_.answered(*reply, most_);
    take(std::move(*reply));
    return verdict;
  }
  const ApiError& error = std::get<ApiError>(reading);
  if (answer.head.status == 200) link_.purse().pay(most_);  // what is spoiled was written all the same
  if (error.kind == ApiErrorKind::kContextExceeded) return too_long(error);
  if (error.kind == ApiErrorKind::kRefused) {
    completion_.stop_reason = StopReason::kContentFilter;
    return {ApiNext::kDone, "refused", error.message};
  }
  return link_.verdict_on(error, answer, sent_);
}

// The model cannot read it, which is an answer that is wrong, not a failure.
ApiVerdict GenerateCall::too_long(const ApiError& error) {
  const std::string code(api_error_name(error.kind));
  auto& messages = std::get<GenerateInput>(asked_.prompt.input).messages;
  const std::size_t bytes = bytes_that_can_be_cut(messages);
  if (link_.settings().truncation == ApiTruncation::kOff || uncut_tokens_ || bytes == 0) {
    completion_.stop_reason = StopReason::kUnfinished;
    link_.warn_once(
        "a prompt is longer than the model's context and counts as answered with nothing; "
        "--truncate left leaves out its beginning");
    return {ApiNext::kDone, code, error.message};
  }
  const auto numbers = context_numbers(error.message);
  const std::size_t keep = bytes_to_keep(bytes, numbers, asked_.options.max_tokens);
  if (keep == 0) {
    completion_.stop_reason = StopReason::kUnfinished;
    link_.warn_once(
        "the model's context has no room for a prompt beside --max-tokens; it counts as answered "
        "with nothing");
    return {ApiNext::kDone, code, error.message};
  }
  cut_beginning(messages, keep);
  uncut_tokens_ = numbers ? numbers->prompt : static_cast<int>(bytes / 4);
  completion_.cut_tokens = static_cast<int>((bytes - keep) / 4);
  count_tokens();
  return {ApiNext::kAgain, code, error.message};
}

void GenerateCall::take(ApiReply reply) {
  fill(completion_, std::move(reply), asked_, link_);
  const int prompt = completion_.prompt_tokens;
  if (uncut_tokens_ && *uncut_tokens_ > prompt && prompt > 0)
    completion_.cut_tokens = *uncut_tokens_ - prompt;
  if (reader_) completion_.timing.first_token = reader_->first_token();
}

void GenerateCall::ended(const ApiEnd& end) {
  completion_.timing.done = link_.clock().now();
  completion_.attempts = link_.attempts(end, completion_.timing.planned, 0);
  if (end.next != ApiNext::kDone) {
    completion_.text.clear();
    completion_.stop_reason = StopReason::kFailed;
    completion_.failure =
        Failure{end.code, link_.safe(end.message), end.attempts, end.next == ApiNext::kStop};
  } else if (completion_.timing.first_token) {
    sink_.on_first_token(completion_.id, *completion_.timing.first_token);
  }
  sink_.on_done(std::move(completion_));
}

class ApiRunner final : public Runner {
 public:
  ApiRunner(const ApiEndpoint& endpoint, const ApiSettings& settings, const Clock& clock, Log* log);

  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override {
    queue_.drain();
    link_.purse().settle();
    weigher_.report();
  }
  void cancel() override { queue_.cancel(); }

 private:
  std::optional<Failure> without_room(const Request& request) const;
  void warn_of_length(const Request& request);

  const ApiSettings settings_;
  Log* const log_;
  ApiLink link_;
  const std::unique_ptr<ApiShape> shape_;
  EchoWeigher weigher_;
  RunnerInfo info_;
  std::optional<ApiContext> context_;
  bool has_warned_of_length_ = false;
  HttpClient client_;
  ApiQueue queue_;  // the last: its thread uses all above
};

ApiRunner::ApiRunner(const ApiEndpoint& endpoint, const ApiSettings& settings, const Clock& clock, Log* log)
    : settings_(settings),
      log_(log),
      link_(endpoint, settings_, clock, log),
      shape_(shape_for(endpoint)),
      weigher_(link_),
      client_({settings.user_agent, settings.ca_file}),
      queue_(client_, endpoint.url, queue_options(settings)) {
  info_ = api_runner_info(link_);
  if (settings.probe == ApiProbe::kModels) {
    ApiFindings found = find_server(client_, link_.endpoint(), settings_, log);
    context_ = found.context;
    link_.set_models(std::move(found.models));
  }
  info_.weighs = (settings.likelihoods == ApiLikelihoods::kByEcho && weigher_.probe(queue_)) ||
                 (settings.likelihoods == ApiLikelihoods::kAssumed && weigher_.may_weigh());
  link_.purse().settle();
  if (info_.weighs) info_.weigh_options["likelihoods"] = weigher_.how();
}

// A server that refuses every request with so many tokens for the answer is not asked.
std::optional<Failure> ApiRunner::without_room(const Request& request) const {
  const bool is_text = std::holds_alternative<GenerateInput>(request.prompt.input);
  if (!is_text || !context_ || !context_->refuses || request.options.max_tokens < context_->tokens)
    return std::nullopt;
  return Failure{
      "request",
      fmt::format("{}: {} tokens for an answer leave no room for a prompt in the context of {} that "
                  "the server has; give fewer with --max-tokens",
                  info_.name, request.options.max_tokens, context_->tokens),
      1, true};
}

// Before the server refuses it, and where it cuts it without a word. About four bytes are a token.
void ApiRunner::warn_of_length(const Request& request) {
  const auto* asked = std::get_if<GenerateInput>(&request.prompt.input);
  if (asked == nullptr || !context_ || has_warned_of_length_ || log_ == nullptr) return;
  const std::size_t tokens = bytes_of(*asked) / 4 + static_cast<std::size_t>(request.options.max_tokens);
  if (tokens <= static_cast<std::size_t>(context_->tokens)) return;
  has_warned_of_length_ = true;
  log_->warning(
      fmt::format("{}: sample '{}' has about {} tokens with its answer, the server's context {}; fewer "
                  "--shots or --max-tokens make it shorter, --truncate left leaves out its beginning",
                  info_.name, request.prompt.sample_id, tokens, context_->tokens));
}

void ApiRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  std::vector<std::unique_ptr<ApiCall>> calls;
  for (Request& request : requests) {
    warn_of_length(request);
    auto failure = refused_by(link_, info_, request);
    if (!failure) failure = without_room(request);
    if (failure) {
      Completion completion;
      completion.id = request.id;
      completion.stop_reason = StopReason::kFailed;
      completion.failure = *std::move(failure);
      sink.on_done(std::move(completion));
    } else if (std::holds_alternative<GenerateInput>(request.prompt.input)) {
      calls.push_back(std::make_unique<GenerateCall>(link_, *shape_, std::move(request), sink));
    } else {
      weigher_.add_calls(request, sink, calls);
    }
  }
  queue_.add(std::move(calls));
}

}  // namespace

std::unique_ptr<Runner> make_api_runner(ApiKind kind, const std::string& argument,
                                        const ApiSettings& settings, const Clock& clock, Log* log) {
  return std::make_unique<ApiRunner>(endpoint_of(kind, argument, settings), settings, clock, log);
}

}  // namespace micius
