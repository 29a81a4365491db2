#include "runners/batch_runner.h"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.h"
#include "runners/api_request.h"
#include "runners/batch_desk.h"

namespace micius {
namespace {

using Time = BatchDesk::Time;

constexpr std::size_t kMostInFlight = 100'000;
constexpr std::chrono::milliseconds kNoWait{0};

std::unique_ptr<BatchProvider> provider_for(const ApiLink& link, BatchWire& wire, const ApiShape& shape) {
  if (link.endpoint().kind == ApiKind::kAnthropic) return anthropic_batches(wire, shape, link.clock());
  return openai_batches(wire, shape, link.endpoint().kind, link.clock());
}

class BatchRunner final : public Runner {
 public:
  BatchRunner(const ApiEndpoint& endpoint, const ApiSettings& settings, const Clock& clock, Log* log,
              BatchLedger& ledger);
  ~BatchRunner() override;
  BatchRunner(const BatchRunner&) = delete;
  BatchRunner& operator=(const BatchRunner&) = delete;

  const RunnerInfo& info() const override { return info_; }
  void submit(std::vector<Request> requests, CompletionSink& sink) override;
  void drain() override;
  void cancel() override;

 private:
  using Added = std::vector<std::pair<Request, CompletionSink*>>;

  void run();
  bool wait_for_work();
  void take_added();
  void cancel_all();
  void count_end();
  bool pause(std::chrono::milliseconds wait);

  const ApiSettings settings_;
  ApiLink link_;
  const std::unique_ptr<ApiShape> shape_;
  BatchWire wire_;
  const std::unique_ptr<BatchProvider> provider_;
  RunnerInfo info_;

  std::mutex mutex_;  // of the block below
  std::condition_variable changed_, drained_;
  Added added_;
  Time added_at_ = {};
  std::size_t open_ = 0;  // questions that have not ended
  bool cancelling_ = false, closing_ = false, has_worked_ = false;

  BatchDesk desk_;  // of the thread
  std::thread thread_;
};

BatchRunner::BatchRunner(const ApiEndpoint& endpoint, const ApiSettings& settings, const Clock& clock,
                         Log* log, BatchLedger& ledger)
    : settings_(settings),
      link_(endpoint, settings_, clock, log),
      shape_(shape_for(endpoint)),
      wire_(link_),
      provider_(provider_for(link_, wire_, *shape_)),
      info_(api_runner_info(link_)),
      desk_(
          link_, *shape_, *provider_, ledger, [this] { count_end(); },
          [this](std::chrono::milliseconds wait) { return pause(wait); }) {
  info_.max_in_flight = kMostInFlight;
  thread_ = std::thread([this] { run(); });
}

BatchRunner::~BatchRunner() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = cancelling_ = true;
  }
  changed_.notify_all();
  wire_.cancel();
  thread_.join();
}

void BatchRunner::submit(std::vector<Request> requests, CompletionSink& sink) {
  {
    const std::lock_guard lock(mutex_);
    open_ += requests.size();
    for (Request& request : requests) added_.emplace_back(std::move(request), &sink);
    added_at_ = link_.clock().now();
  }
  changed_.notify_all();
}

void BatchRunner::drain() {
  std::unique_lock lock(mutex_);
  drained_.wait(lock, [this] { return open_ == 0; });
}

void BatchRunner::cancel() {
  wire_.cancel();  // first: the thread, once it has cancelled all, lets the wire go on
  {
    const std::lock_guard lock(mutex_);
    cancelling_ = true;
  }
  changed_.notify_all();
}

void BatchRunner::count_end() {
  const std::lock_guard lock(mutex_);
  if (--open_ == 0) drained_.notify_all();
}

bool BatchRunner::pause(std::chrono::milliseconds wait) {
  std::unique_lock lock(mutex_);
  return !changed_.wait_for(lock, wait, [this] { return cancelling_; });
}

void BatchRunner::run() {
  while (wait_for_work()) {
    take_added();
    try {
      desk_.work();
    } catch (const Error& error) {  // the ledger's: its questions must end all the same
      desk_.fail(error);
    }
  }
}

// Until there is something to do. False once the runner is to end.
bool BatchRunner::wait_for_work() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (std::exchange(cancelling_, false)) {
      lock.unlock();
      cancel_all();
      lock.lock();
    }
    if (closing_) return false;
    const Time now = link_.clock().now();
    // The first questions come all together, the next turns of a batch's conversations one after the other:
    // they are to be one batch.
    const Time quiet =
        added_.empty() ? Time::max() : added_at_ + (has_worked_ ? settings_.batch_quiet : kNoWait);
    const Time until = std::min(quiet, desk_.next_look());
    if (until <= now || (added_.empty() && desk_.is_launch_due())) return true;
    if (until == Time::max()) {
      changed_.wait(lock);
    } else {
      changed_.wait_for(lock, until - now);
    }
  }
}

void BatchRunner::cancel_all() {
  take_added();
  desk_.cancel();
  wire_.resume();
}

void BatchRunner::take_added() {
  Added added;
  {
    const std::lock_guard lock(mutex_);
    added = std::exchange(added_, {});
    has_worked_ = true;
  }
  for (auto& [request, sink] : added) desk_.add(info_, std::move(request), *sink);
}

}  // namespace

void check_batches(ApiKind kind, const std::string& argument, const ApiSettings& settings) {
  if (!endpoint_of(kind, argument, settings).query.empty())
    fail(ErrorCode::kUsage, "--batch: Azure takes batches at /openai/v1 alone; leave out --api-version");
  if (settings.truncation != ApiTruncation::kOff)
    fail(ErrorCode::kUsage, "--batch does not cut prompts; leave out --truncate left");
}

std::unique_ptr<Runner> make_batch_runner(ApiKind kind, const std::string& argument,
                                          const ApiSettings& settings, const Clock& clock, Log* log,
                                          BatchLedger& ledger) {
  check_batches(kind, argument, settings);
  return std::make_unique<BatchRunner>(endpoint_of(kind, argument, settings), settings, clock, log, ledger);
}

}  // namespace micius
