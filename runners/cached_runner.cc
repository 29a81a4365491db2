#include "runners/cached_runner.h"

#include <cstdint>
#include <exception>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <variant>

#include "base/hash.h"
#include "core/attempt_json.h"
#include "core/names.h"
#include "core/record_json.h"
#include "runners/api_endpoint.h"

namespace micius {
namespace {

// Raised when the same request is sent or read in another way than before.
constexpr int kKeyVersion = 1;

bool is_sampled(const Request& request, const RunnerInfo& info) {
  if (std::holds_alternative<LikelihoodInput>(request.prompt.input)) return false;
  return request.options.temperature > 0 || info.options.contains("sampling");  // the provider's
}

std::string key_of(const Request& request, const RunnerInfo& info) {
  const GenerateOptions& o = request.options;
  Json json = {{"version", kKeyVersion},  {"kind", info.kind},       {"model", info.name},
               {"url", info.url},         {"options", info.options}, {"prompt", to_json(request.prompt)},
               {"repeat", request.repeat}};
  if (std::holds_alternative<LikelihoodInput>(request.prompt.input)) {
    json["weigh_options"] = info.weigh_options;
  } else {
    json.update({{"style", name_of(request.style)},
                 {"max_tokens", o.max_tokens},
                 {"temperature", o.temperature},
                 {"top_k", o.top_k},
                 {"top_p", o.top_p},
                 {"min_p", o.min_p},
                 {"stop", o.stop}});
  }
  if (is_sampled(request, info)) json.update({{"seed", o.seed}, {"stream", o.stream}});
  return sha256_hex(dump_json(json));
}

// A cache says nothing of the samples that it has answers to.
std::string hidden(const std::string& asked_for) { return asked_for.empty() ? "" : sha256_hex(asked_for); }

bool is_worth_keeping(const Completion& c) {
  return !c.failure && (c.stop_reason == StopReason::kStop || c.stop_reason == StopReason::kLength ||
                        c.stop_reason == StopReason::kToolCalls);
}

std::string text_of(const Completion& c, const std::string& asked_for) {
  Json json = {{"stop_reason", name_of(c.stop_reason)},
               {"prompt_tokens", c.prompt_tokens},
               {"cached_tokens", c.cached_tokens},
               {"completion_tokens", c.completion_tokens}};
  if (c.cache_write_tokens > 0) json["cache_write_tokens"] = c.cache_write_tokens;
  if (c.cut_tokens > 0) json["cut_tokens"] = c.cut_tokens;
  if (c.likelihoods.empty()) {
    json["text"] = c.text;
  } else {
    json["likelihoods"] = to_json(c.likelihoods);
  }
  if (asked_for.empty()) return dump_json(json);
  json["asked_for"] = asked_for;
  json["sent_ns"] = ns_between(c.timing.planned, c.timing.sent);
  if (c.timing.first_token) json["ttft_ns"] = ns_between(c.timing.planned, *c.timing.first_token);
  json["latency_ns"] = ns_between(c.timing.planned, c.timing.done);
  if (!c.attempts.empty()) json["attempts"] = to_json(c.attempts);
  return dump_json(json);
}

// Throws Error for a text that is none of text_of(). What was asked for the same record is given as it came:
// the record was lost, or failed at a later turn, and the run has paid for the answer all the same.
Completion completion_from(const std::string& text, const std::string& asked_for, Clock::time_point now) {
  const std::string where = "an answer of the cache";
  const Json json = parse_json(text, where);
  const JsonFields fields(json, where);
  Completion c;
  c.stop_reason = stop_reason_from(fields.string("stop_reason"), where);
  c.prompt_tokens = static_cast<int>(fields.integer("prompt_tokens"));
  c.cached_tokens = static_cast<int>(fields.integer("cached_tokens"));
  c.completion_tokens = static_cast<int>(fields.integer("completion_tokens"));
  c.cache_write_tokens = static_cast<int>(fields.integer_or("cache_write_tokens", 0));
  c.cut_tokens = static_cast<int>(fields.integer_or("cut_tokens", 0));
  c.text = fields.string_or("text", "");
  if (fields.has("likelihoods")) c.likelihoods = likelihoods_from_json(fields.at("likelihoods"), where);
  c.timing = {now, now, std::nullopt, now};
  c.from_cache = asked_for.empty() || fields.string_or("asked_for", "") != asked_for;
  if (c.from_cache) return c;
  c.timing.sent = after_ns(now, fields.integer("sent_ns"));
  if (fields.has("ttft_ns")) c.timing.first_token = after_ns(now, fields.integer("ttft_ns"));
  c.timing.done = after_ns(now, fields.integer("latency_ns"));
  if (fields.has("attempts")) c.attempts = attempts_from_json(fields.at("attempts"), where);
  return c;
}

class CachedRunner final : public Runner, private CompletionSink {
 public:
  CachedRunner(std::unique_ptr<Runner> runner, AnswerCache& cache, CacheUse use, const Clock& clock)
      : runner_(std::move(runner)), cache_(cache), use_(use), clock_(clock) {}

  const RunnerInfo& info() const override { return runner_->info(); }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override { runner_->drain(); }
  void cancel() override { runner_->cancel(); }

 private:
  struct Asked {
    CompletionSink* sink = nullptr;
    std::string key, asked_for;
  };

  bool answer(const Request& request, const Asked& asked);
  void on_first_token(RequestId id, Clock::time_point when) override;
  void on_done(Completion completion) override;

  const std::unique_ptr<Runner> runner_;
  AnswerCache& cache_;
  const CacheUse use_;
  const Clock& clock_;
  std::mutex mutex_;
  std::unordered_map<std::uint64_t, Asked> asked_;  // by request id; those whose answer is to be kept
};

// From the cache, if it is there.
bool CachedRunner::answer(const Request& request, const Asked& asked) {
  const std::optional<std::string> found = cache_.find(asked.key);
  if (!found) return false;
  Completion completion;
  try {
    completion = completion_from(*found, asked.asked_for, clock_.now());
  } catch (const std::exception&) {  // damaged: asked again
    return false;
  }
  completion.id = request.id;
  asked.sink->on_done(std::move(completion));
  return true;
}

void CachedRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  std::vector<Request> open, uncached;
  for (Request& request : requests) {
    if (use_ == CacheUse::kGreedy && is_sampled(request, info())) {
      uncached.push_back(std::move(request));
      continue;
    }
    Asked asked{&sink, key_of(request, info()), hidden(request.asked_for)};
    if (answer(request, asked)) continue;
    const std::lock_guard lock(mutex_);
    asked_[static_cast<std::uint64_t>(request.id)] = std::move(asked);
    open.push_back(std::move(request));
  }
  if (!uncached.empty()) runner_->submit(std::move(uncached), sink);
  if (!open.empty()) runner_->submit(std::move(open), *this);
}

void CachedRunner::on_first_token(RequestId id, Clock::time_point when) {
  CompletionSink* sink = nullptr;
  {
    const std::lock_guard lock(mutex_);
    sink = asked_.at(static_cast<std::uint64_t>(id)).sink;
  }
  sink->on_first_token(id, when);
}

void CachedRunner::on_done(Completion completion) {
  Asked asked;
  {
    const std::lock_guard lock(mutex_);
    asked = std::move(asked_.extract(static_cast<std::uint64_t>(completion.id)).mapped());
  }
  if (is_worth_keeping(completion)) cache_.keep(asked.key, info().name, text_of(completion, asked.asked_for));
  asked.sink->on_done(std::move(completion));
}

}  // namespace

std::unique_ptr<Runner> with_cache(std::unique_ptr<Runner> runner, AnswerCache& cache, CacheUse use,
                                   const Clock& clock) {
  if (use == CacheUse::kGreedy && is_on_this_machine(runner->info().url)) return runner;
  return std::make_unique<CachedRunner>(std::move(runner), cache, use, clock);
}

}  // namespace micius
