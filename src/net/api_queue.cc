#include "net/api_queue.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"

namespace micius {
namespace {

using std::chrono::seconds;

// How often a call may change its request: once a field that a server may refuse.
constexpr int kMostChanges = 8;
constexpr seconds kLongestSleep{3600};

ApiVerdict verdict_on(const HttpResult& result, const std::string& place) {
  const std::string message = fmt::format("{}: {}", place, result.message);
  switch (*result.failure) {
    case HttpFailure::kUrl:
    case HttpFailure::kCertificate:
      return {ApiNext::kStop, "endpoint", message};
    case HttpFailure::kTooLarge:
      return {ApiNext::kFail, "bad_response", message};
    case HttpFailure::kIdle:
    case HttpFailure::kTotal:
    case HttpFailure::kDeadline:
      return {ApiNext::kRetry, "timeout", message};
    default:
      return {ApiNext::kRetry, "connection", message};
  }
}

// By which a provider finds an attempt again: OpenAI's, Anthropic's, Azure's.
std::string request_id_of(const HttpHead& head) {
  for (const char* name : {"x-request-id", "request-id", "apim-request-id"}) {
    if (const auto id = head.header(name)) return to_valid_utf8(id->substr(0, 128));
  }
  return "";
}

ApiEnd cancelled() { return {ApiNext::kFail, "cancelled", "cancelled"}; }

}  // namespace

// One attempt under way.
class ApiQueue::Flight final : public HttpSink {
 public:
  Flight(ApiQueue& queue, Pending flown)
      : pending(std::move(flown)), queue_(queue), reader_(pending.call->reader()) {
    answer.attempt = pending.attempts;
    attempt.began = attempt.ended = std::chrono::steady_clock::now();
  }
  bool on_head(const HttpHead& head) override {
    answer.head = head;
    return true;
  }
  bool on_body(std::string_view bytes) override {
    attempt.bytes += bytes.size();
    if (reader_ != nullptr) return reader_->read(answer.head, bytes);
    answer.body += bytes;
    return true;
  }
  std::optional<Time> deadline() const override {
    return reader_ != nullptr ? reader_->deadline() : std::nullopt;
  }
  void on_done(const HttpResult& ended) override {
    result = ended;
    attempt.ended = std::chrono::steady_clock::now();
    queue_.landed(*this);
  }

  ApiLanding landing() const {
    if (has_answer()) return ApiLanding::kAnswered;
    switch (*result.failure) {
      case HttpFailure::kUrl:
      case HttpFailure::kResolve:
      case HttpFailure::kConnect:
      case HttpFailure::kCertificate:
        return ApiLanding::kNotSent;
      default:
        return ApiLanding::kLost;
    }
  }

  // Is there something to judge?
  bool has_answer() const {
    if (!result.failure) return true;
    return reader_ != nullptr && (reader_->is_whole() || *result.failure == HttpFailure::kStopped);
  }

  Pending pending;
  ApiAnswer answer;
  HttpResult result;
  ApiAttempt attempt;

 private:
  ApiQueue& queue_;
  ApiReader* const reader_;
};

ApiQueue::ApiQueue(HttpClient& client, std::string place, const ApiQueueOptions& options)
    : client_(client),
      place_(std::move(place)),
      options_(options),
      governor_(options.governor, std::chrono::steady_clock::now()),
      rng_(fmt::format("api/{}/{}", place_, std::chrono::steady_clock::now().time_since_epoch().count())),
      thread_([this] { run(); }) {}

ApiQueue::~ApiQueue() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = cancelling_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void ApiQueue::add(std::vector<std::unique_ptr<ApiCall>> calls) {
  const std::lock_guard lock(mutex_);
  open_ += calls.size();
  for (auto& call : calls) added_.push_back({std::move(call), {}});
  changed_.notify_all();
}

void ApiQueue::cancel() {
  const std::lock_guard lock(mutex_);
  cancelling_ = true;
  changed_.notify_all();
}

void ApiQueue::drain() {
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [this] { return open_ == 0; });
}

void ApiQueue::landed(Flight& flight) {
  const std::lock_guard lock(mutex_);
  landed_.push_back(&flight);
  changed_.notify_all();
}

void ApiQueue::run() {
  std::unique_lock lock(mutex_);
  while (!closing_ || open_ > 0) {
    std::deque<Pending> added = std::exchange(added_, {});
    const std::deque<Flight*> landed = std::exchange(landed_, {});
    const bool cancelling = std::exchange(cancelling_, false);
    lock.unlock();
    const Time now = std::chrono::steady_clock::now();
    begin(std::move(added));
    for (Flight* flight : landed) judge(*flight, now);
    if (cancelling) cancel_all(now);
    if (cut_at_ && now >= *cut_at_) {
      client_.cancel();
      cut_at_.reset();
    }
    send_due(now);
    const Time wake = next_wake(now);
    lock.lock();
    changed_.wait_until(lock, wake, [this] {
      return !added_.empty() || !landed_.empty() || cancelling_ || (closing_ && open_ == 0);
    });
  }
}

void ApiQueue::begin(std::deque<Pending> added) {
  for (Pending& pending : added) {
    if (stopped_) {
      end(std::move(pending), *stopped_);
    } else {
      ready_.push_back(std::move(pending));
    }
  }
}

void ApiQueue::cancel_all(Time now) {
  bool closing = false;
  {
    const std::lock_guard lock(mutex_);
    closing = closing_;
  }
  end_waiting(cancelled());
  for (auto& [key, flight] : flights_) flight->pending.is_cancelled = true;
  if (!flights_.empty()) cut_at_ = closing ? now : now + options_.grace;
}

void ApiQueue::end_waiting(const ApiEnd& end_of_all) {
  for (Pending& pending : std::exchange(ready_, {})) end(std::move(pending), end_of_all);
  for (auto& [when, pending] : std::exchange(waiting_, {})) end(std::move(pending), end_of_all);
}

void ApiQueue::stop(const ApiVerdict& verdict, Time now) {
  if (stopped_) return;
  stopped_ = ApiEnd{ApiNext::kStop, verdict.code, verdict.message};
  end_waiting(*stopped_);
  if (!flights_.empty()) cut_at_ = now + options_.grace;
}

ApiAttempt ApiQueue::attempt_of(const Flight& flight, const ApiVerdict& verdict) {
  ApiAttempt attempt = flight.attempt;
  attempt.status = flight.answer.head.status;
  attempt.request_id = request_id_of(flight.answer.head);
  attempt.wait_asked = verdict.wait;
  attempt.invalid_utf8_sha256 = verdict.invalid_utf8_sha256;
  // A call that goes on from an answer to its next question was answered.
  if (verdict.next == ApiNext::kAgain && attempt.status == 200) return attempt;
  attempt.code = verdict.code;
  attempt.message = verdict.message;
  return attempt;
}

void ApiQueue::judge(Flight& flight, Time now) {
  const std::unique_ptr<Flight> owned = std::move(flights_.extract(&flight).mapped());
  if (flights_.empty()) cut_at_.reset();  // there is nothing left to cut; what is added later is not meant
  Pending pending = std::move(flight.pending);
  pending.call->landed(flight.landing());
  const ApiVerdict verdict =
      flight.has_answer() ? pending.call->judge(flight.answer) : verdict_on(flight.result, place_);
  pending.log.push_back(attempt_of(flight, verdict));
  if (verdict.is_busy) {
    governor_.was_busy(now);
    if (verdict.wait && *verdict.wait <= options_.longest_asked_wait)
      governor_.hold(now + std::chrono::ceil<Time::duration>(*verdict.wait));
  } else if (verdict.next == ApiNext::kDone) {
    governor_.succeeded(now);
  } else if (verdict.next == ApiNext::kRetry && !pending.is_cancelled) {
    governor_.failed(now);
  } else {
    governor_.ended();
  }
  governor_.learn(flight.answer.head, now, pending.call->tokens());
  settle(std::move(pending), verdict, now);
  if (!stopped_ && governor_.is_dead(now)) {
    stop({ApiNext::kStop, "endpoint_dead",
          fmt::format("{} requests in a row failed over a minute, the last with {}: {}",
                      Governor::kFailuresToStop, verdict.code, verdict.message)},
         now);
  }
}

void ApiQueue::settle(Pending pending, const ApiVerdict& verdict, Time now) {
  switch (verdict.next) {
    case ApiNext::kDone:
      return end(std::move(pending), {});
    case ApiNext::kFail:
      return end(std::move(pending), {ApiNext::kFail, verdict.code, verdict.message});
    case ApiNext::kStop:
      stop(verdict, now);
      return end(std::move(pending), *stopped_);
    case ApiNext::kAgain:
      if (stopped_) return end(std::move(pending), *stopped_);
      if (pending.is_cancelled) return end(std::move(pending), cancelled());
      if (++pending.changes > kMostChanges)
        return end(std::move(pending), {ApiNext::kFail, verdict.code, verdict.message});
      --pending.attempts;
      return ready_.push_front(std::move(pending));
    case ApiNext::kRetry:
      return retry(std::move(pending), verdict, now);
  }
}

void ApiQueue::retry(Pending pending, const ApiVerdict& verdict, Time now) {
  if (stopped_) return end(std::move(pending), *stopped_);
  if (pending.is_cancelled) return end(std::move(pending), cancelled());
  const auto fail = [&](std::string message) {
    end(std::move(pending), {ApiNext::kFail, verdict.code, std::move(message)});
  };
  if (pending.attempts > options_.retries) return fail(verdict.message);
  if (verdict.wait && *verdict.wait > options_.longest_asked_wait)
    return fail(fmt::format("{}; the server asks to wait {:.0f} s", verdict.message, verdict.wait->count()));
  const Seconds wait =
      std::max(verdict.wait.value_or(Seconds(0)),
               jittered_wait(rng_, pending.attempts - 1, options_.first_wait, options_.longest_wait));
  if (Seconds(now - pending.began) + wait > options_.call_limit)
    return fail(fmt::format("{}; not answered within {} s", verdict.message, options_.call_limit.count()));
  pending.log.back().waited = wait;
  waiting_.emplace(now + std::chrono::ceil<Time::duration>(wait), std::move(pending));
}

void ApiQueue::send_due(Time now) {
  // Those that waited go before those that have not been sent yet.
  const auto due = waiting_.upper_bound(now);
  for (auto it = std::make_reverse_iterator(due); it != waiting_.rend(); ++it)
    ready_.push_front(std::move(it->second));
  waiting_.erase(waiting_.begin(), due);
  is_held_ = false;
  while (!ready_.empty() && governor_.earliest(now, ready_.front().call->tokens()) <= now) {
    const ApiAdmission admission = ready_.front().call->admit();
    is_held_ = admission.what == ApiAdmit::kWait;
    held_until_ = admission.again;
    if (is_held_) return;
    if (admission.what == ApiAdmit::kStop)
      return stop({ApiNext::kStop, admission.code, admission.message}, now);
    Pending pending = std::move(ready_.front());
    ready_.pop_front();
    send(std::move(pending), now);
  }
}

void ApiQueue::send(Pending pending, Time now) {
  governor_.sent(now, pending.call->tokens());
  if (++pending.attempts == 1) pending.began = now;
  if (!pending.log.empty() && pending.log.back().waited)
    pending.log.back().waited = Seconds(now - pending.log.back().ended);
  HttpRequest request = pending.call->request();
  auto flight = std::make_unique<Flight>(*this, std::move(pending));
  Flight& sink = *flight;
  flights_.emplace(&sink, std::move(flight));
  client_.start(std::move(request), sink);
}

void ApiQueue::end(Pending pending, ApiEnd end) {
  end.attempts = std::max(1, pending.attempts);
  end.log = std::move(pending.log);
  pending.call->ended(end);
  pending.call.reset();
  const std::lock_guard lock(mutex_);
  if (--open_ == 0) drained_.notify_all();
}

ApiQueue::Time ApiQueue::next_wake(Time now) {
  Time wake = now + kLongestSleep;
  if (!waiting_.empty()) wake = std::min(wake, waiting_.begin()->first);
  if (!ready_.empty() && !is_held_)
    wake = std::min(wake, governor_.earliest(now, ready_.front().call->tokens()));
  if (!ready_.empty() && is_held_ && held_until_) wake = std::min(wake, *held_until_);
  if (cut_at_) wake = std::min(wake, *cut_at_);
  return wake;
}

}  // namespace micius
