#include "cli/worker.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "pipeline/evaluate.h"
#include "pipeline/summarize.h"
#include "runners/api_runner.h"
#include "store/lease_store.h"
#include "store/open_store.h"

namespace micius {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kFirstRest{50}, kLongestRest{2000};
// Leases follow each other without a pause for so long; then limits, other runs and the last ones' estimates
// are looked at.
constexpr std::chrono::seconds kLongestRow{60};

// Samples of this execution, for the rate.
class CountSamples final : public EvaluateObserver {
 public:
  explicit CountSamples(Heartbeat& heart) : heart_(heart) {}
  void on_progress(const Progress& progress) override {
    heart_.count_samples(progress.new_records - std::exchange(counted_, progress.new_records));
  }

 private:
  Heartbeat& heart_;
  std::size_t counted_ = 0;
};

}  // namespace

std::vector<QueuedRun> by_preference(std::vector<QueuedRun> runs, const std::string& model,
                                     const std::string& task) {
  const auto rank = [&](const QueuedRun& run) {
    const bool is_other_model = run.model != model;
    const bool is_other_task = is_other_model || run.task != task;
    return std::tuple(is_other_model, is_other_task, is_other_model ? run.holders : 0, run.run);
  };
  std::sort(runs.begin(), runs.end(),
            [&](const QueuedRun& a, const QueuedRun& b) { return rank(a) < rank(b); });
  return runs;
}

Worker::Worker(const ReopenContext& context, const std::string& database, WorkerOptions options,
               std::stop_token stop)
    : context_(context),
      database_(database),
      options_(std::move(options)),
      stopping_(stop, [this] { stop_.request_stop(); }),
      queue_(context.store, options_.lease_time),
      id_(queue_.enter(options_.name)),
      heart_(open_store(database, OpenMode::kExisting, context.clock, nullptr, stop), options_.lease_time,
             id_, [this] { stop_.request_stop(); }) {}

Worker::~Worker() = default;

WorkerSummary Worker::work() {
  milliseconds pause = kFirstRest;
  auto idle_since = std::chrono::steady_clock::now();
  while (!stop_.stop_requested()) {
    if (const std::optional<Lease> lease = next_lease()) {
      do_leases(*lease);
      pause = kFirstRest;
      idle_since = std::chrono::steady_clock::now();
      continue;
    }
    if (options_.max_idle && std::chrono::steady_clock::now() - idle_since >= *options_.max_idle) break;
    rest(pause);
    pause = std::min(2 * pause, kLongestRest);
  }
  heart_.end();  // a beat after leave() would make the worker alive again
  heart_.rethrow();
  if (limits_) limits_->rethrow();
  finish_runs();
  queue_.leave(id_);
  return summary_;
}

void Worker::rest(milliseconds time) {
  std::mutex mutex;
  std::unique_lock lock(mutex);
  std::condition_variable_any().wait_for(lock, stop_.get_token(), time, [] { return false; });
}

std::optional<Lease> Worker::next_lease() {
  if (loaded_.run && !keeps_limits()) loaded_.run.reset();
  if (loaded_.run) {
    if (const auto lease = queue_.take(id_, loaded_.run->id)) return lease;
  }
  finish_runs();
  const std::string task = loaded_.run ? loaded_.run->spec.task : "";
  for (const QueuedRun& run : by_preference(queue_.open_runs(), loaded_.model_key, task)) {
    if (stop_.stop_requested()) return std::nullopt;
    if (refused_.count(run.run) != 0 || !prepare(run)) continue;
    if (const auto lease = queue_.take(id_, run.run)) return lease;
  }
  return std::nullopt;
}

// Others may be able to do what this worker is not: its machine may lack the data or the model.
bool Worker::prepare(const QueuedRun& queued) {
  if (loaded_.run && loaded_.run->id == queued.run) return true;
  loaded_.task.reset();
  loaded_.run.reset();
  try {
    Run run = context_.store.run(queued.run);
    load(queued, run);
    loaded_.task = reopen_task(context_, run, loaded_.runner->info());
    loaded_.chosen = loaded_.task->plan.chosen;
    loaded_.run = std::move(run);
    return true;
  } catch (const Error& error) {
    if (stop_.stop_requested()) return false;
    context_.log.warning(fmt::format("run {} cannot be done by this worker: {}",
                                     static_cast<std::int64_t>(queued.run), error.what()));
    refused_.insert(queued.run);
    ++summary_.refused;
    return false;
  }
}

// A remote model is opened again where it is to keep to a budget for the first time: its price must be known.
void Worker::load(const QueuedRun& queued, const Run& run) {
  context_.remote.shared = nullptr;
  bool has_budget = false;
  if (api_kind_from(run.spec.model.kind)) {
    if (!limits_) {
      limits_ = std::make_unique<GuardedLimits>(
          open_store(database_, OpenMode::kExisting, context_.clock, nullptr, stop_.get_token()), id_,
          [this] { stop_.request_stop(); });
    }
    limits_->use(queued.run);
    has_budget = limits_->has_budget();
    context_.remote.shared = limits_.get();
  }
  if (loaded_.model_key == queued.model && loaded_.has_budget == has_budget) return;
  loaded_.model_key.clear();
  loaded_.runner.reset();  // before the next one takes its memory
  loaded_.runner = reopen_model(context_, run);
  loaded_.model_key = queued.model;
  loaded_.has_budget = has_budget;
  heart_.loaded(queued.model);
}

// Somebody may have queued the run again, with others.
bool Worker::keeps_limits() {
  if (!limits_) return true;
  limits_->use(loaded_.run->id);
  return limits_->has_budget() == loaded_.has_budget;
}

void Worker::do_leases(const Lease& first) {
  std::stop_source ending;
  const auto end = [&ending] { ending.request_stop(); };
  const std::stop_callback leave(stop_.get_token(), end);
  const RunSpec& spec = loaded_.run->spec;
  LeaseStore store({context_.store, queue_, id_, spec, context_.clock, end,
                    [this](const Lease& done) { heart_.let_go(done); }});
  struct Hold {
    explicit Hold(Heartbeat& a_heart) : heart(a_heart) {}
    ~Hold() { heart.let_go(); }
    Heartbeat& heart;
  };
  const auto add = [&](const Lease& lease) {
    heart_.hold(lease, end);
    return MoreSamples{samples_of(lease), store.add(lease)};
  };
  const auto until = std::chrono::steady_clock::now() + kLongestRow;
  const auto more = [&]() -> MoreSamples {
    if (ending.stop_requested() || std::chrono::steady_clock::now() > until) return {};
    const std::optional<Lease> next = queue_.take(id_, first.run);
    return next ? add(*next) : MoreSamples{};
  };
  EvaluateResult result;
  {
    const Hold hold(heart_);
    Plan& plan = loaded_.task->plan;
    plan.chosen = add(first).chosen;
    CountSamples counter(heart_);
    result = evaluate({.task = loaded_.task->setup.task,
                       .plan = plan,
                       .runner = *loaded_.runner,
                       .scorer = *loaded_.task->setup.scorer,
                       .store = store,
                       .clock = context_.clock,
                       .observer = &counter,
                       .stop = ending.get_token(),
                       .judges = std::thread::hardware_concurrency(),
                       .more = more},
                      first.run);
  }
  summary_.records += store.records();
  summary_.late += store.late();
  summary_.leases += store.leases();
  summary_.failed += result.failed;
  if (result.status == RunStatus::kStopped) stop_run(first.run, result.message);
}

std::vector<std::size_t> Worker::samples_of(const Lease& lease) const {
  return {loaded_.chosen.begin() + static_cast<std::ptrdiff_t>(lease.first),
          loaded_.chosen.begin() + static_cast<std::ptrdiff_t>(lease.end)};
}

void Worker::stop_run(RunId run, const std::string& why) {
  queue_.stop(run, why);
  context_.log.warning(
      fmt::format("run {} ({}) is stopped: {}; `micius run` with the same flags and "
                  "--enqueue goes on",
                  static_cast<std::int64_t>(run), loaded_.run->spec.task, why));
  ++summary_.stopped;
  loaded_.run.reset();
}

void Worker::finish_runs() {
  for (const RunId run : queue_.exhausted()) {
    if (queue_.finish(run, primary_estimate(context_.store, run))) ++summary_.finished;
  }
}

}  // namespace micius
