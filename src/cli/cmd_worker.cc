// `micius worker`: does what `run --enqueue` has left in the database, beside any number of others.
#include <array>
#include <optional>

#include <fmt/format.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "cli/remote.h"
#include "cli/signals.h"
#include "cli/worker.h"
#include "store/open_store.h"

namespace micius {
namespace {

// "node7/4711": which process on which machine.
std::string own_name() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '?';
  return fmt::format("{}/{}", host.data(), getpid());
}

class WorkerCommand final : public Command {
 public:
  std::string name() const override { return "worker"; }
  std::string summary() const override {
    return "Do the samples of queued runs (`run --enqueue`), beside other workers";
  }

  void define(Flags& flags) override {
    add_db_flag(flags, places_);
    add_data_dir_flag(flags, places_);
    add_model_dir_flag(flags, places_);
    flags.add("--max-idle", max_idle_s_, "Leave after so many seconds without work (default: never)")
        .at_least(0)
        .type("S");
    flags.add("--lease", lease_s_, "Seconds of silence after which others take this worker's samples")
        .at_least(1)
        .type("S")
        .show_default();
    add_engine_speed_flags(flags, engine_);
    add_server_flags(flags, api_);
    add_cache_flags(flags, caching_);
    flags.add("-q,--quiet", quiet_, "Errors only");
  }

  ExitCode run() override;

 private:
  PlaceFlags places_;
  EngineFlags engine_;
  ApiFlags api_;
  CacheFlags caching_;
  std::optional<int> max_idle_s_;
  int lease_s_ = static_cast<int>(kDefaultLease.count());
  bool quiet_ = false;
};

ExitCode WorkerCommand::run() {
  ConsoleLog log(quiet_ ? ConsoleLog::Level::kErrorsOnly : ConsoleLog::Level::kWarnings);
  ApiSettings remote = api_settings(api_);
  const InterruptGuard interrupt;
  remote.probe = ApiProbe::kModels;
  remote.stop = interrupt.token();
  const SystemClock clock;
  ResponseCache cache(clock, log);
  const auto store = open_store(places_.db, OpenMode::kExisting, clock, &log, interrupt.token());
  LazyServices services(engine_.threads, places_);
  const ReopenContext context{*store, clock,    log,   places_,  engine_,
                              remote, caching_, cache, services, RunsOf::kOthers};
  WorkerOptions options;
  options.name = own_name();
  options.lease_time = std::chrono::seconds(lease_s_);
  if (max_idle_s_) options.max_idle = std::chrono::seconds(*max_idle_s_);
  const WorkerSummary done = Worker(context, places_.db, options, interrupt.token()).work();
  if (!quiet_) {
    fmt::print(stderr, "{}: {} records in {} leases, {} late and dropped; {} runs finished\n", options.name,
               done.records, done.leases, done.late, done.finished);
  }
  if (interrupt.token().stop_requested()) return ExitCode::kInterrupted;
  return done.failed + done.stopped + done.refused > 0 ? ExitCode::kFailed : ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_worker_command() { return std::make_unique<WorkerCommand>(); }

}  // namespace micius
