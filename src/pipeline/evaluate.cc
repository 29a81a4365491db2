#include "pipeline/evaluate.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/group_keys.h"
#include "pipeline/conversation.h"
#include "pipeline/judge.h"
#include "pipeline/judges.h"
#include "pipeline/mailbox.h"
#include "pipeline/references.h"
#include "pipeline/request.h"
#include "pipeline/summarize.h"

namespace micius {
namespace {

// After so many failures in a row that are not the sample's own fault, the next ones would fail as well.
constexpr std::size_t kHopeless = 16;
constexpr std::array<std::string_view, 3> kOwnFaults = {"context_too_long", "empty_continuation",
                                                        "not_recorded"};

class Evaluator {
 public:
  Evaluator(const Evaluation& evaluation, RunId run)
      : e_(evaluation),
        run_(run),
        done_(evaluation.store.done(run)),
        chosen_(evaluation.plan.chosen),
        references_(evaluation.task, evaluation.plan),
        judges_(evaluation.judges, evaluation.task, evaluation.scorer, mailbox_),
        asking_(evaluation.runner.info().url.empty() ? "" : name_of_run()),
        lap_(evaluation.clock.now()) {}
  ~Evaluator() {
    if (!open_.empty()) e_.runner.cancel();
    e_.runner.drain();  // the mailbox must outlive every request
  }
  Evaluator(const Evaluator&) = delete;
  Evaluator& operator=(const Evaluator&) = delete;

  void look_back();
  void run();
  EvaluateResult result() const;
  std::int64_t lap();  // nanoseconds since the last call, or since the start
  std::optional<Estimate> primary() const;

 private:
  std::string name_of_run() const;
  void begin_conversations();
  bool has_next();
  void ask(Conversation conversation, Prompt prompt);
  void send();
  void hear(Completion completion);
  void go_on(Judged judged);
  bool has_room() const;
  void go_on_asking();
  void keep(std::size_t index, Record record);
  void write();
  void count(std::size_t index, const Record& record);
  std::string cluster_of(const Sample& sample) const;
  void count_failures(const Completion& completion);
  void count_faults(const Judged& judged);
  bool ending() const { return e_.stop.stop_requested() || !message_.empty(); }

  const Evaluation& e_;
  const RunId run_;
  DoneSet done_;
  std::vector<std::size_t> chosen_;  // dataset indices
  bool has_more_ = true;
  const References references_;
  Mailbox mailbox_;
  std::unordered_map<std::uint64_t, Conversation> open_;  // asked, by request id
  std::size_t judging_ = 0;                               // conversations that are with the judges
  std::deque<Judged> to_ask_;                             // conversations that go on once there is room
  std::vector<Record> kept_;                              // records that came together
  std::vector<std::size_t> kept_of_;                      // their samples, as indices of the dataset
  Judges judges_;
  const std::string asking_;  // which run; "" where no server is asked
  std::vector<Request> outbox_;
  std::uint64_t next_id_ = 0;
  std::size_t next_chosen_ = 0;
  int next_repeat_ = 0;
  std::size_t failures_in_a_row_ = 0, faults_in_a_row_ = 0;
  bool cancelled_ = false;
  std::string message_;
  Clock::time_point lap_;
  Progress progress_;
  std::map<std::pair<std::size_t, int>, std::vector<Value>> values_;  // by dataset index and repeat
  std::unordered_map<std::string, RunningCluster> clusters_;          // of the primary's values so far
};

// Numbers are of one database, and another one's run of the same number began at another time.
std::string Evaluator::name_of_run() const {
  return fmt::format("{}/{}", static_cast<std::int64_t>(run_), e_.store.run(run_).started);
}

void Evaluator::run() {
  const std::stop_callback wake(e_.stop, [this] { mailbox_.wake(); });
  while (true) {
    go_on_asking();
    begin_conversations();
    send();
    if (open_.empty() && judging_ == 0) return;
    Mail mail = mailbox_.take();
    for (Completion& completion : mail.completions) hear(checked(std::move(completion)));
    for (Judged& judged : mail.judged) go_on(std::move(judged));
    write();
    if (ending() && !std::exchange(cancelled_, true)) e_.runner.cancel();
  }
}

bool Evaluator::has_room() const {
  return open_.size() < std::max<std::size_t>(1, e_.runner.info().max_in_flight);
}

void Evaluator::go_on_asking() {
  for (; !ending() && !to_ask_.empty() && has_room(); to_ask_.pop_front())
    ask(std::move(to_ask_.front().conversation), std::move(*to_ask_.front().next));
}

// The runner is kept busy while answers are judged, but no further ahead than the judges can follow.
void Evaluator::begin_conversations() {
  const std::size_t backlog = 2 * judges_.size();
  while (!ending() && has_room() && judging_ < backlog && has_next()) {
    Conversation c;
    c.index = chosen_[next_chosen_];
    c.repeat = next_repeat_;
    c.sample = &e_.plan.samples[c.index];
    if (++next_repeat_ == e_.plan.spec.repeats) {
      next_repeat_ = 0;
      ++next_chosen_;
    }
    if (done_.count({c.sample->id, c.repeat}) != 0) continue;
    if (e_.plan.shots_for) c.shots = e_.plan.shots_for(c.index);
    std::optional<Prompt> prompt = e_.task.next(*c.sample, c.shots, {});
    assert(prompt);
    ask(std::move(c), std::move(*prompt));
  }
}

bool Evaluator::has_next() {
  if (next_chosen_ < chosen_.size()) return true;
  if (!e_.more || !has_more_) return false;
  MoreSamples more = e_.more();
  has_more_ = !more.chosen.empty();
  chosen_.insert(chosen_.end(), more.chosen.begin(), more.chosen.end());
  progress_.total += more.chosen.size() * static_cast<std::size_t>(e_.plan.spec.repeats);
  progress_.done += more.done.size();
  done_.merge(more.done);
  return has_more_;
}

void Evaluator::ask(Conversation c, Prompt prompt) {
  const RequestPlace place{c.index, c.repeat, c.turns};
  Request request = make_request(e_.plan.spec, prompt, c.repeat, c.turns.size());
  request.id = RequestId{next_id_++};
  if (!asking_.empty()) request.asked_for = fmt::format("{}/{}", asking_, request.options.stream);
  request.reference = references_.right(prompt, place);
  request.other_reference = references_.other(prompt, place);
  c.asked = std::move(prompt);
  open_.emplace(static_cast<std::uint64_t>(request.id), std::move(c));
  outbox_.push_back(std::move(request));
}

void Evaluator::send() {
  if (!outbox_.empty()) e_.runner.submit(std::exchange(outbox_, {}), mailbox_);
}

void Evaluator::hear(Completion completion) {
  auto node = open_.extract(static_cast<std::uint64_t>(completion.id));
  if (node.empty()) return;
  Conversation& c = node.mapped();
  if (ending() && completion.failure) return;  // cancelled, or as good as
  if (completion.failure && completion.failure->stops_run) {
    message_ = fmt::format("{}: {}", completion.failure->code, completion.failure->message);
    return;
  }
  count_failures(completion);
  const std::optional<Failure> failure = completion.failure;
  c.turns.push_back({std::move(c.asked), std::move(completion), ""});
  if (failure) return keep(c.index, {*c.sample, c.repeat, std::move(c.turns), {}, failure});
  judges_.post(std::move(c));
  ++judging_;
}

void Evaluator::go_on(Judged judged) {
  --judging_;
  count_faults(judged);
  Conversation& c = judged.conversation;
  if (!judged.next) {
    return keep(c.index, {*c.sample, c.repeat, std::move(c.turns), std::move(judged.score), std::nullopt});
  }
  to_ask_.push_back(std::move(judged));
}

void Evaluator::keep(std::size_t index, Record record) {
  kept_.push_back(std::move(record));
  kept_of_.push_back(index);
}

// What came while the last ones were written goes into one transaction; nothing waits for others to come.
void Evaluator::write() {
  if (kept_.empty()) return;
  const std::vector<Record> records = std::exchange(kept_, {});
  const std::vector<std::size_t> indices = std::exchange(kept_of_, {});
  e_.store.append_all(run_, records, lap());
  for (std::size_t i = 0; i < records.size(); ++i) {
    ++progress_.new_records;
    count(indices[i], records[i]);
    if (e_.on_record) e_.on_record(records[i]);
    if (e_.observer != nullptr) e_.observer->on_progress(progress_);
  }
}

std::int64_t Evaluator::lap() {
  const Clock::time_point now = e_.clock.now();
  return ns_between(std::exchange(lap_, now), now);
}

void Evaluator::count(std::size_t index, const Record& record) {
  for (const Turn& turn : record.turns) {
    progress_.prompt_tokens += static_cast<std::uint64_t>(turn.completion.prompt_tokens);
    progress_.completion_tokens += static_cast<std::uint64_t>(turn.completion.completion_tokens);
  }
  ++(record.failure ? progress_.failed : progress_.done);
  for (const Value& value : record.score.values) {
    if (value.metric == e_.task.metrics.front().name)
      progress_.primary.add(value.value, clusters_[cluster_of(record.sample)]);
  }
  if (!record.score.values.empty()) values_[{index, record.repeat}] = record.score.values;
}

// Samples that name no cluster are independent, and the repeats of one are not.
std::string Evaluator::cluster_of(const Sample& sample) const {
  const std::set<std::string> keys = group_keys(sample, e_.task.cluster);
  return keys.empty() ? "sample " + sample.id : "cluster " + *keys.begin();
}

void Evaluator::count_failures(const Completion& completion) {
  if (!completion.failure) {
    failures_in_a_row_ = 0;
    return;
  }
  const Failure& failure = *completion.failure;
  if (std::find(kOwnFaults.begin(), kOwnFaults.end(), failure.code) != kOwnFaults.end()) return;
  if (++failures_in_a_row_ < kHopeless) return;
  message_ = fmt::format("{} requests failed in a row, the last with {}: {}", kHopeless, failure.code,
                         failure.message);
}

void Evaluator::count_faults(const Judged& judged) {
  faults_in_a_row_ = judged.is_fault ? faults_in_a_row_ + 1 : 0;
  if (faults_in_a_row_ < kMostUnjudged) return;
  message_ = fmt::format(
      "{} answers in a row: {}; `micius doctor` looks for what is missing, `micius rescore --observe` judges "
      "them again once the run is complete",
      kMostUnjudged, judged.score.reason);
}

// What earlier executions have left. Their failed records are asked again and do not count.
void Evaluator::look_back() {
  progress_.total = chosen_.size() * static_cast<std::size_t>(e_.plan.spec.repeats);
  if (!done_.empty()) {
    std::unordered_map<std::string, std::size_t> index_of;
    for (const std::size_t index : chosen_) index_of.emplace(e_.plan.samples[index].id, index);
    e_.store.for_each(run_, [&](const Record& record) {
      if (record.failure) return;
      count(index_of.at(record.sample.id), record);
      if (e_.on_record) e_.on_record(record);
    });
  }
  if (e_.observer != nullptr) e_.observer->on_progress(progress_);
}

EvaluateResult Evaluator::result() const {
  EvaluateResult result;
  result.interrupted = e_.stop.stop_requested() && progress_.done + progress_.failed < progress_.total;
  if (progress_.done + progress_.failed == progress_.total) {
    result.status = RunStatus::kComplete;
  } else if (!message_.empty()) {
    result.status = RunStatus::kStopped;
    result.message = message_;
  }
  result.failed = progress_.failed;
  return result;
}

std::optional<Estimate> Evaluator::primary() const {
  std::vector<SampleValues> values;
  for (const auto& [place, of_record] : values_) values.push_back({&e_.plan.samples[place.first], of_record});
  return primary_estimate(e_.plan.spec, values);
}

}  // namespace

EvaluateResult evaluate(const Evaluation& evaluation, RunId run) {
  Evaluator evaluator(evaluation, run);
  evaluator.look_back();
  evaluator.run();
  EvaluateResult result = evaluator.result();
  std::optional<Estimate> primary;
  if (result.status == RunStatus::kComplete && result.failed == 0) primary = evaluator.primary();
  evaluation.store.finish(run, result.status, evaluator.lap(), primary);
  return result;
}

}  // namespace micius
