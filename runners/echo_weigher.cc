#include "runners/echo_weigher.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "runners/openai_completions.h"

namespace micius {
namespace {

constexpr const char* kProbeText = "The capital of France is Paris";

// What servers count is theirs: a sum that no prompt has stays at its greatest.
void add_tokens(int& sum, int more) {
  constexpr std::int64_t kMost = std::numeric_limits<int>::max();
  sum = static_cast<int>(std::min(kMost, std::int64_t{sum} + more));
}

// A call that goes on with its next question.
ApiVerdict next_question() { return {ApiNext::kAgain, "request", "the server is asked without end"}; }

}  // namespace

// The pairs of one request. Shared by their calls, which end in any order: the last one tells the sink.
struct EchoWeigher::Weighing {
  CompletionSink& sink;
  Completion completion;
  std::size_t open = 0;
  bool is_sent = false;

  void end(const ApiLink& link) {
    if (--open > 0) return;
    completion.timing.done = link.clock().now();
    std::stable_sort(completion.attempts.begin(), completion.attempts.end(),
                     [](const Attempt& a, const Attempt& b) { return a.part < b.part; });
    if (completion.failure) {
      completion.stop_reason = StopReason::kFailed;
      completion.likelihoods.clear();
    }
    sink.on_done(std::move(completion));
  }
};

// One pair: the ids of its context, those of all, and how likely the latter are; or the last alone.
class EchoWeigher::Call final : public ApiCall {
 public:
  Call(EchoWeigher& weigher, std::shared_ptr<Weighing> weighing, std::size_t index, const Pair& pair)
      : weigher_(weigher),
        link_(weigher.link_),
        weighing_(std::move(weighing)),
        index_(index),
        context_(strip_right(pair.context)),
        whole_(pair.context + pair.continuation) {}

  ApiAdmission admit() override { return link_.admit(most(), tokens()); }
  void landed(ApiLanding how) override {
    link_.purse().release(most());
    if (how == ApiLanding::kLost) link_.purse().pay(most());
  }
  HttpRequest request() override;
  double tokens() const override { return static_cast<double>(whole_.size()) / 4 + 1; }
  ApiVerdict judge(const ApiAnswer& answer) override;
  void ended(const ApiEnd& end) override;

 private:
  BilledTokens most() const { return {most_tokens(whole_.size(), 1), 0, 1}; }
  bool wants_ids() const { return weigher_.split_ == Split::kIds && !whole_ids_; }
  ApiVerdict take_ids(const ApiAnswer& answer);
  void take_echo(const EchoReply& echo);

  EchoWeigher& weigher_;
  ApiLink& link_;
  const std::shared_ptr<Weighing> weighing_;
  const std::size_t index_;
  const std::string context_, whole_;
  std::optional<ApiTokenIds> context_ids_, whole_ids_;
  ApiFields sent_;
  std::optional<Failure> failure_;
};

HttpRequest EchoWeigher::Call::request() {
  if (!std::exchange(weighing_->is_sent, true)) weighing_->completion.timing.sent = link_.clock().now();
  sent_ = link_.fields();
  const std::string& model = link_.endpoint().model;
  if (wants_ids())
    return link_.request_at(weigher_.tokenize_url(), tokenize_body(context_ids_ ? whole_ : context_, model));
  return link_.request("/completions", whole_ids_ ? echo_body(*whole_ids_, model) : echo_body(whole_, model));
}

ApiVerdict EchoWeigher::Call::judge(const ApiAnswer& answer) {
  if (wants_ids()) return take_ids(answer);
  const EchoPrompt prompt = whole_ids_ ? EchoPrompt(*whole_ids_) : EchoPrompt(whole_);
  const auto reading = read_echo(answer.head, answer.body, prompt, link_.clock().utc());
  if (const auto* error = std::get_if<ApiError>(&reading)) {
    if (answer.head.status == 200) link_.purse().pay(most());
    return link_.verdict_on(*error, answer, sent_);
  }
  take_echo(std::get<EchoReply>(reading));
  return {};
}

ApiVerdict EchoWeigher::Call::take_ids(const ApiAnswer& answer) {
  auto reading = read_tokenized(answer.head, answer.body, link_.clock().utc());
  if (const auto* error = std::get_if<ApiError>(&reading)) return link_.verdict_on(*error, answer, sent_);
  auto& ids = context_ids_ ? whole_ids_ : context_ids_;
  ids = std::get<ApiTokenIds>(std::move(reading));
  return next_question();
}

void EchoWeigher::Call::take_echo(const EchoReply& echo) {
  link_.answered(echo.reply, most());
  Completion& completion = weighing_->completion;
  add_tokens(completion.prompt_tokens, echo.reply.prompt_tokens);
  add_tokens(completion.cached_tokens, echo.reply.cached_tokens);
  add_tokens(completion.cache_write_tokens, echo.reply.cache_write_tokens);
  add_tokens(completion.completion_tokens, echo.reply.completion_tokens);
  ++weigher_.pairs_;
  Seam seam{context_ids_ ? context_ids_->size() : 0, false};
  if (!context_ids_) seam = seam_at(echo, code_points(context_));
  if (seam.straddles) ++weigher_.straddles_;
  auto weighed = weigh_from(echo, seam.token);
  if (auto* failure = std::get_if<Failure>(&weighed)) {
    failure_ = std::move(*failure);
  } else {
    completion.likelihoods[index_] = std::get<Likelihood>(weighed);
  }
}

void EchoWeigher::Call::ended(const ApiEnd& end) {
  if (end.next != ApiNext::kDone)
    failure_ = Failure{end.code, link_.safe(end.message), end.attempts, end.next == ApiNext::kStop};
  Completion& completion = weighing_->completion;
  for (Attempt& attempt : link_.attempts(end, completion.timing.planned, index_))
    completion.attempts.push_back(std::move(attempt));
  auto& failure = completion.failure;
  if (failure_ && (!failure || failure_->stops_run)) failure = failure_;
  weighing_->end(link_);
}

// Finds out what the server can do.
class EchoWeigher::Probe final : public ApiCall {
 public:
  Probe(ApiLink& link, std::string tokenize_url) : link_(link), tokenize_url_(std::move(tokenize_url)) {}

  struct Finding {
    std::optional<std::size_t> prompt_tokens;  // by its echo
    std::string why_not;
    bool has_ids = false;
    ApiEnd end;
  };
  std::shared_ptr<Finding> finding = std::make_shared<Finding>();  // of the probe and of who reads it later

  HttpRequest request() override {
    sent_ = link_.fields();
    const std::string& model = link_.endpoint().model;
    if (finding->prompt_tokens) return link_.request_at(tokenize_url_, tokenize_body(kProbeText, model));
    return link_.request("/completions", echo_body(kProbeText, model));
  }
  double tokens() const override { return 16; }
  ApiVerdict judge(const ApiAnswer& answer) override {
    return finding->prompt_tokens ? judge_ids(answer) : judge_echo(answer);
  }
  void ended(const ApiEnd& end) override { finding->end = end; }

 private:
  ApiVerdict judge_echo(const ApiAnswer& answer) {
    const auto reading = read_echo(answer.head, answer.body, std::string(kProbeText), link_.clock().utc());
    if (const auto* error = std::get_if<ApiError>(&reading)) {
      const bool is_trouble = error->kind == ApiErrorKind::kAuth || error->kind == ApiErrorKind::kQuota ||
                              error->kind == ApiErrorKind::kConfig ||
                              (error->may_retry && error->status != 200);
      if (is_trouble) return link_.verdict_on(*error, answer, sent_);
      finding->why_not = error->status == 200 ? "it answered 200 with " + error->message
                                              : fmt::format("HTTP {}: {}", error->status, error->message);
      return {};
    }
    finding->prompt_tokens = std::get<EchoReply>(reading).tokens.size();
    return next_question();
  }
  ApiVerdict judge_ids(const ApiAnswer& answer) {
    const auto reading = read_tokenized(answer.head, answer.body, link_.clock().utc());
    const auto* ids = std::get_if<ApiTokenIds>(&reading);
    finding->has_ids = ids != nullptr && ids->size() == *finding->prompt_tokens;
    return {};
  }

  ApiLink& link_;
  const std::string tokenize_url_;
  ApiFields sent_;
};

// Behind the host, not behind /v1: it is no part of OpenAI's API.
std::string EchoWeigher::tokenize_url() const {
  std::string url = link_.endpoint().url;
  if (url.ends_with("/v1")) url.resize(url.size() - 3);
  return url + "/tokenize";
}

bool EchoWeigher::may_weigh() const {
  const ApiEndpoint& endpoint = link_.endpoint();
  if (endpoint.kind != ApiKind::kOpenAi) return false;
  const bool is_openai = endpoint.url.starts_with("https://api.openai.com/");
  return !is_openai || endpoint.model == "babbage-002" || endpoint.model == "davinci-002";
}

bool EchoWeigher::probe(ApiQueue& queue) {
  if (!may_weigh()) return false;
  auto call = std::make_unique<Probe>(link_, tokenize_url());
  const auto finding = call->finding;
  std::vector<std::unique_ptr<ApiCall>> calls;
  calls.push_back(std::move(call));
  queue.add(std::move(calls));
  queue.drain();
  if (finding->end.next != ApiNext::kDone) {
    fail(ErrorCode::kIo, "cannot find out whether {} gives log-likelihoods: {}: {}", link_.name(),
         finding->end.code, link_.safe(finding->end.message));
  }
  if (!finding->prompt_tokens) {
    link_.warn_once(
        fmt::format("{} gives no log-probabilities of a prompt ({}): take a server that does (vLLM), a model "
                    "that the engine runs (`micius list models`), or tasks that are answered in text",
                    link_.endpoint().url, shorten(visible_line(link_.safe(finding->why_not)), 200)));
    return false;
  }
  split_ = finding->has_ids ? Split::kIds : Split::kOffsets;
  return true;
}

std::string EchoWeigher::how() const {
  return split_ == Split::kIds ? "echo, split by ids" : "echo, split by offsets";
}

void EchoWeigher::add_calls(const Request& request, CompletionSink& sink,
                            std::vector<std::unique_ptr<ApiCall>>& calls) {
  const auto& pairs = std::get<LikelihoodInput>(request.prompt.input).pairs;
  auto weighing = std::make_shared<Weighing>(Weighing{sink, {}, pairs.size()});
  weighing->completion.id = request.id;
  weighing->completion.timing.planned = weighing->completion.timing.sent = link_.clock().now();
  weighing->completion.likelihoods.resize(pairs.size());
  if (pairs.empty()) {
    weighing->open = 1;
    return weighing->end(link_);
  }
  for (std::size_t i = 0; i < pairs.size(); ++i)
    calls.push_back(std::make_unique<Call>(*this, weighing, i, pairs[i]));
}

void EchoWeigher::report() {
  if (straddles_ == reported_) return;
  reported_ = straddles_;
  link_.warn_once(fmt::format("{} of {} continuations begin within a token, which counts as the context's",
                              straddles_, pairs_));
}

}  // namespace micius
