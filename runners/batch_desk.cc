#include "runners/batch_desk.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/text.h"
#include "runners/api_request.h"

namespace micius {
namespace {

using Stage = BatchState::Stage;

constexpr std::size_t kTokenBytes = 8;
constexpr int kMoreAttempts = 8;  // than retries, for what is asked again without being counted
constexpr std::chrono::milliseconds kLongestLook{60'000};

}  // namespace

BatchDesk::BatchDesk(ApiLink& link, const ApiShape& shape, BatchProvider& provider, BatchLedger& ledger,
                     OnEnd on_end, Pause pause)
    : link_(link),
      shape_(shape),
      provider_(provider),
      ledger_(ledger),
      on_end_(std::move(on_end)),
      pause_(std::move(pause)),
      first_fields_(link.fields()) {}

void BatchDesk::add(const RunnerInfo& info, Request request, CompletionSink& sink) {
  BatchQuestion question{std::move(request), &sink};
  question.completion.id = question.asked.id;
  question.completion.timing.planned = question.completion.timing.sent = link_.clock().now();
  if (auto refused = refused_by(link_, info, question.asked)) {
    question.completion.stop_reason = StopReason::kFailed;
    question.completion.failure = std::move(refused);
    sink.on_done(std::move(question.completion));
    return on_end_();
  }
  question.most = most_billed(question.asked);
  const std::string name =
      question_name(question.asked, shape_.body(question.asked, first_fields_, ApiDelivery::kWhole));
  open_.insert_or_assign(name, std::move(question));
  waiting_.insert(name);
  is_launch_due_ = true;
  if (stopped_) stop(*stopped_);
}

BatchDesk::Time BatchDesk::next_look() const {
  Time next = Time::max();
  for (const Flight& flight : flights_) next = std::min(next, flight.next_look);
  return next;
}

void BatchDesk::work() {
  if (stopped_) return;
  if (std::exchange(is_launch_due_, false)) launch();
  const Time now = link_.clock().now();
  const auto due = std::stable_partition(flights_.begin(), flights_.end(),
                                         [&](const Flight& flight) { return flight.next_look > now; });
  std::vector<Flight> looked_at(std::make_move_iterator(due), std::make_move_iterator(flights_.end()));
  flights_.erase(due, flights_.end());
  for (Flight& flight : looked_at)
    if (!stopped_) look(std::move(flight));
}

void BatchDesk::cancel() {
  stop({ApiNext::kFail, "cancelled", "cancelled"});
  stopped_.reset();
}

void BatchDesk::fail(const Error& error) {
  halt({ApiNext::kStop, "store",
        fmt::format("{}; what was sent is kept there, and `micius resume` fetches its answers",
                    error.what())});
}

std::chrono::milliseconds BatchDesk::pause_before(int attempt) const {
  return std::min(link_.settings().first_wait * (1 << std::min(attempt, 12)), kLongestLook);
}

void BatchDesk::launch() {
  adopt_sent();
  while (!stopped_ && !waiting_.empty()) {
    const std::string token =
        sha256_hex(fmt::format("{}/{}/{}", link_.name(), link_.clock().utc().time_since_epoch().count(),
                               ++batches_ + reinterpret_cast<std::uintptr_t>(this)))
            .substr(0, kTokenBytes);
    std::vector<std::string> names;
    const std::vector<std::string> rows = next_rows(token, names);
    if (rows.empty()) return;  // the rest waits for the purse, or nothing is left in it
    if (!send(names, rows, token)) return;
  }
}

// Takes from the ledger what an earlier process sent.
void BatchDesk::adopt_sent() {
  std::map<std::int64_t, std::size_t> known;
  for (std::size_t i = 0; i < flights_.size(); ++i) known.emplace(flights_[i].batch.ref, i);
  for (SentBatch& batch : ledger_.sent()) {
    if (stopped_) return;
    const auto it = known.find(batch.ref);
    if (it == known.end()) {
      adopt(std::move(batch));
      continue;
    }
    // The next turns of a conversation come after its first ones, from the same batch or another.
    for (const std::string& name : wanted_of(batch)) {
      board(name);
      flights_[it->second].wanted.insert(name);
    }
  }
}

std::vector<std::string> BatchDesk::wanted_of(const SentBatch& batch) const {
  std::vector<std::string> wanted;
  for (const std::string& name : batch.questions)
    if (waiting_.count(name) != 0) wanted.push_back(name);
  return wanted;
}

void BatchDesk::adopt(SentBatch batch) {
  std::vector<std::string> wanted = wanted_of(batch);
  if (wanted.empty()) return;
  if (!batch.batch_id && !find_again(batch)) {
    if (!stopped_) ledger_.forget(batch.ref, batch.questions);  // it was never made
    return;
  }
  batch.questions = std::move(wanted);
  fly(std::move(batch));
}

// Looks for a batch whose id was not heard. False where there is none.
bool BatchDesk::find_again(SentBatch& batch) {
  const auto found = provider_.find(batch);
  if (const auto* end = std::get_if<ApiEnd>(&found)) {
    halt(*end);
    return false;
  }
  std::set<std::string> others = not_ours_;
  for (const SentBatch& other : ledger_.sent())
    if (other.batch_id) others.insert(*other.batch_id);
  for (const std::string& id : std::get<std::vector<std::string>>(found)) {
    if (others.count(id) != 0) continue;
    batch.batch_id = id;
    ledger_.name(batch.ref, id);
    return true;
  }
  return false;
}

// The questions of the next batch, as far as its limits and the purse let them go.
std::vector<std::string> BatchDesk::next_rows(const std::string& token, std::vector<std::string>& names) {
  const BatchLimits limits = provider_.limits();
  std::vector<std::string> rows;
  std::size_t bytes = 0;
  for (const std::string& name : waiting_) {
    if (rows.size() == limits.rows) break;
    BatchQuestion& question = open_.at(name);
    std::string row =
        provider_.row(token + "-" + name, shape_.body(question.asked, link_.fields(), ApiDelivery::kWhole));
    if (!rows.empty() && bytes + row.size() > limits.bytes) break;
    const ApiAdmission admission = link_.admit_written(question.most, 0);
    if (admission.what == ApiAdmit::kWait) break;
    if (admission.what == ApiAdmit::kStop) {
      if (rows.empty() && flights_.empty()) stop({ApiNext::kStop, admission.code, admission.message});
      break;
    }
    question.is_reserved = true;
    bytes += row.size() + 1;
    names.push_back(name);
    rows.push_back(std::move(row));
  }
  return rows;
}

// False where the run cannot go on.
bool BatchDesk::send(const std::vector<std::string>& names, const std::vector<std::string>& rows,
                     const std::string& token) {
  SentBatch batch;
  batch.token = token;
  batch.questions = names;
  batch.requests = rows.size();
  batch.sent_at = format_utc(link_.clock().utc());
  batch.ref = ledger_.add(token, names);
  for (int attempt = 0;; ++attempt) {
    const BatchMaking made = provider_.create(rows, token);
    if (made.kind == BatchMaking::Kind::kMade) {
      batch.batch_id = made.id;
      ledger_.name(batch.ref, made.id);
      break;
    }
    const bool is_unknown = made.kind == BatchMaking::Kind::kUnknown;
    if (is_unknown && find_again(batch)) break;
    if (stopped_) return false;
    if ((is_unknown || made.why.code == "rate_limit") && attempt < link_.settings().retries &&
        pause_(pause_before(attempt)))
      continue;
    // What may have been made is looked for by a later process.
    if (!is_unknown) ledger_.forget(batch.ref, names);
    halt(made.why);
    return false;
  }
  link_.warn_once(
      fmt::format("batch {} with {} questions is with the provider; Ctrl-C leaves it there, and "
                  "`micius resume` fetches its answers",
                  *batch.batch_id, batch.requests));
  fly(std::move(batch));
  return true;
}

// A question that a batch has is not waiting any more, and will be billed, whoever sent it.
void BatchDesk::board(const std::string& name) {
  waiting_.erase(name);
  BatchQuestion& question = open_.at(name);
  if (!std::exchange(question.is_reserved, true)) link_.purse().reserve(question.most);
  ++question.attempts;
  question.completion.timing.sent = link_.clock().now();
}

void BatchDesk::fly(SentBatch batch) {
  for (const std::string& name : batch.questions) board(name);
  std::set<std::string> wanted(batch.questions.begin(), batch.questions.end());
  const Time now = link_.clock().now();
  flights_.push_back({std::move(batch), std::move(wanted), {}, link_.fields(), now, now});
}

void BatchDesk::look(Flight flight) {
  const auto state = provider_.state(flight.id());
  if (const auto* end = std::get_if<ApiEnd>(&state)) return halt(*end);
  const BatchState& found = std::get<BatchState>(state);
  if (found.stage != Stage::kGoing) return land(flight, found);
  flight.next_look = link_.clock().now() + flight.pause;
  flight.pause = std::min(flight.pause * 3 / 2, kLongestLook);
  flights_.push_back(std::move(flight));
}

// Takes what a batch has, and has the rest asked again where that may help.
void BatchDesk::land(Flight& flight, const BatchState& state) {
  is_launch_due_ = true;
  take_all(flight, state);
  forget_unanswered(flight);
}

// Once for all that are asked again, since each time is a transaction: a kill before it costs nothing, as
// none of them has been sent by then. Before what fails ends, so that who hears of it finds the ledger up to
// date.
void BatchDesk::forget_unanswered(Flight& flight) {
  const std::vector<std::string> names = std::exchange(flight.unanswered, {});
  if (!names.empty()) ledger_.forget(flight.batch.ref, names);
}

void BatchDesk::take_all(Flight& flight, const BatchState& state) {
  const SentBatch& batch = flight.batch;
  if (state.stage == Stage::kFailed) return refuse(flight, "was refused: " + link_.safe(state.message));
  bool is_cancelled = state.stage == Stage::kCancelled;
  std::vector<BatchOutcome> outcomes;
  const auto read = provider_.results(state, [&](BatchOutcome outcome) {
    if (!outcome.id.starts_with(batch.token + "-")) return;
    is_cancelled = is_cancelled || outcome.kind == BatchOutcome::Kind::kCancelled;
    outcomes.push_back(std::move(outcome));
  });
  if (const auto* end = std::get_if<ApiEnd>(&read)) return halt(*end);
  // Answers go first: an error may stop the run.
  std::stable_partition(outcomes.begin(), outcomes.end(), [](const BatchOutcome& outcome) {
    return outcome.kind == BatchOutcome::Kind::kRead && std::holds_alternative<ApiReply>(outcome.reading);
  });
  const bool is_ours = !outcomes.empty();
  for (BatchOutcome& outcome : outcomes)
    if (!stopped_ && outcome.kind != BatchOutcome::Kind::kCancelled) take(flight, std::move(outcome));
  if (stopped_ || flight.wanted.empty()) return;
  if (is_cancelled) {
    return refuse(flight, fmt::format("was cancelled at the provider, with {} questions unanswered",
                                      flight.wanted.size()));
  }
  if (!is_ours && take_for_another(flight)) return;
  for (const std::string& name : std::set<std::string>(flight.wanted)) {
    if (stopped_) return;
    BatchOutcome missing;
    missing.id = batch.token + "-" + name;
    missing.reading = no_answer(ApiErrorKind::kBadResponse, "the batch has no answer to it");
    missing.status = 0;
    take(flight, std::move(missing));
  }
}

// A batch that ended without one of our questions was somebody else's, or is gone. True where the right one
// is found.
bool BatchDesk::take_for_another(const Flight& flight) {
  not_ours_.insert(flight.id());
  SentBatch right = flight.batch;
  right.questions.assign(flight.wanted.begin(), flight.wanted.end());
  if (!find_again(right)) return stopped_.has_value();
  fly(std::move(right));
  return true;
}

void BatchDesk::refuse(Flight& flight, const std::string& what) {
  flight.unanswered.insert(flight.unanswered.end(), flight.wanted.begin(), flight.wanted.end());
  forget_unanswered(flight);
  halt({ApiNext::kStop, "batch", fmt::format("{}: batch {} {}", link_.endpoint().url, flight.id(), what)});
}

Attempt BatchDesk::attempt_of(const Flight& flight, const BatchOutcome& outcome,
                              const BatchQuestion& question) const {
  const auto since = [&](Clock::time_point when) {
    return std::max(std::chrono::nanoseconds(0), std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                     when - question.completion.timing.planned));
  };
  Attempt attempt;
  attempt.began = since(flight.began);
  attempt.ended = since(link_.clock().now());
  attempt.status = outcome.status;
  attempt.request_id = link_.safe(outcome.request_id.empty() ? flight.id() : outcome.request_id);
  attempt.bytes = outcome.bytes;
  return attempt;
}

void BatchDesk::take(Flight& flight, BatchOutcome outcome) {
  const std::string name = outcome.id.substr(flight.batch.token.size() + 1);
  if (flight.wanted.erase(name) == 0) return;
  BatchQuestion& question = open_.at(name);
  if (std::exchange(question.is_reserved, false)) link_.purse().release(question.most);
  Attempt attempt = attempt_of(flight, outcome, question);
  if (outcome.kind == BatchOutcome::Kind::kExpired) {
    attempt.code = "expired";
    return ask_again(flight, name, question, attempt);
  }
  if (auto* reply = std::get_if<ApiReply>(&outcome.reading)) {
    link_.answered(*reply, question.most);
    fill(question.completion, std::move(*reply), question.asked, link_);
    question.completion.attempts.push_back(std::move(attempt));
    return end(name);
  }
  const ApiError& error = std::get<ApiError>(outcome.reading);
  attempt.code = api_error_name(error.kind);
  attempt.message = link_.safe(error.message);
  if (error.kind == ApiErrorKind::kRefused || error.kind == ApiErrorKind::kContextExceeded) {
    question.completion.stop_reason =
        error.kind == ApiErrorKind::kRefused ? StopReason::kContentFilter : StopReason::kUnfinished;
    question.completion.attempts.push_back(std::move(attempt));
    return end(name);
  }
  const ApiVerdict verdict = link_.verdict_on(error, {{}, "", question.attempts}, flight.sent);
  if (verdict.next == ApiNext::kAgain) --question.attempts;
  const bool is_again = verdict.next == ApiNext::kAgain ||
                        (verdict.next == ApiNext::kRetry && question.attempts <= link_.settings().retries);
  if (is_again) return ask_again(flight, name, question, attempt);
  flight.unanswered.push_back(name);
  forget_unanswered(flight);
  question.completion.attempts.push_back(std::move(attempt));
  if (verdict.next == ApiNext::kStop) {
    halt({ApiNext::kStop, verdict.code, verdict.message});
  } else {
    fail_one(name, {ApiNext::kFail, verdict.code, verdict.message});
  }
}

void BatchDesk::ask_again(Flight& flight, const std::string& name, BatchQuestion& question,
                          const Attempt& attempt) {
  flight.unanswered.push_back(name);
  question.completion.attempts.push_back(attempt);
  if (question.completion.attempts.size() >
      static_cast<std::size_t>(link_.settings().retries + kMoreAttempts)) {
    forget_unanswered(flight);
    return fail_one(name, {ApiNext::kFail, attempt.code, attempt.message});
  }
  waiting_.insert(name);
}

void BatchDesk::fail_one(const std::string& name, const ApiEnd& why) {
  BatchQuestion& question = open_.at(name);
  question.completion.text.clear();
  question.completion.stop_reason = StopReason::kFailed;
  question.completion.failure =
      Failure{why.code, link_.safe(why.message), std::max(1, question.attempts), why.next == ApiNext::kStop};
  end(name);
}

// Nothing goes on after a step that failed, but what was cancelled is no failure.
void BatchDesk::halt(ApiEnd why) {
  if (why.code != "cancelled") why.next = ApiNext::kStop;
  stop(why);
}

// Ends everything that is open. Batches stay with the provider, and in the ledger.
void BatchDesk::stop(const ApiEnd& why) {
  stopped_ = why;
  flights_.clear();
  waiting_.clear();
  while (!open_.empty()) fail_one(open_.begin()->first, why);
}

void BatchDesk::end(const std::string& name) {
  auto node = open_.extract(name);
  waiting_.erase(name);
  BatchQuestion& question = node.mapped();
  if (question.is_reserved) link_.purse().release(question.most);
  question.completion.timing.done = link_.clock().now();
  question.sink->on_done(std::move(question.completion));
  on_end_();
}

}  // namespace micius
