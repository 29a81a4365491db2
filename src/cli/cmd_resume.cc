// `micius resume [RUN...]`: goes on with unfinished runs and asks failed samples again.
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/early_stop.h"
#include "cli/enqueue.h"
#include "cli/execute.h"
#include "cli/flags.h"
#include "cli/noting_log.h"
#include "cli/remote.h"
#include "cli/reopen.h"
#include "cli/response_cache.h"
#include "cli/runs.h"
#include "cli/services.h"
#include "cli/signals.h"
#include "cli/task_setup.h"
#include "pipeline/rescore.h"
#include "runners/api_endpoint.h"
#include "runners/api_purse.h"
#include "store/batch_ledger.h"
#include "store/open_store.h"
#include "store/work_queue.h"

namespace micius {
namespace {

class ResumeCommand final : public Command {
 public:
  std::string name() const override { return "resume"; }
  std::string summary() const override {
    return "Go on with unfinished runs (all but imported and queued ones, if none is named)";
  }

  void define(Flags& flags) override {
    flags.add("runs", runs_, kRunsHelp).type("RUN");
    add_db_flag(flags, places_);
    add_data_dir_flag(flags, places_);
    add_model_dir_flag(flags, places_);
    add_engine_speed_flags(flags, engine_);
    add_api_flags(flags, api_);
    add_cache_flags(flags, caching_);
    flags.add("-q,--quiet", quiet_, "Errors only, no table");
    flags.add("--progress", progress_, "auto, plain or none").show_default();
  }

  ExitCode run() override;

 private:
  std::vector<RunId> chosen(const SqlStore& store) const;
  EvaluateResult go_on(const ExecuteContext& context, SqlStore& store, ResponseCache& cache, RunId id);

  PlaceFlags places_;
  EngineFlags engine_;
  ApiFlags api_;
  CacheFlags caching_;
  ApiSettings remote_;  // what the flags and the environment say
  ApiBudgets budgets_;  // each run has a runner of its own, all runs of a model one budget
  std::vector<std::string> runs_;
  std::string progress_ = "auto";
  bool quiet_ = false;
  SystemClock clock_;
};

// Is there something to do: samples without a good record?
bool is_open(const Store& store, const Run& run) {
  const std::size_t wanted = run.spec.sample_ids.size() * static_cast<std::size_t>(run.spec.repeats);
  return run.status != RunStatus::kComplete || store.done(run.id).size() < wanted;
}

std::vector<RunId> ResumeCommand::chosen(const SqlStore& store) const {
  std::vector<RunId> runs;
  const std::set<RunId> queued = queued_runs(store);
  if (!runs_.empty()) {
    for (const RunId id : resolve_runs(store, runs_)) {
      if (queued.count(id) != 0) fail_queued(id, places_);
      if (is_open(store, store.run(id))) runs.push_back(id);
    }
    return runs;
  }
  std::vector<std::string> imported;
  for (const Run& run : store.runs()) {
    if (queued.count(run.id) != 0 || !is_open(store, run)) continue;
    if (is_imported(run) && api_kind_from(run.spec.model.kind)) {
      imported.push_back(fmt::format("{}", static_cast<std::int64_t>(run.id)));
    } else {
      runs.push_back(run.id);
    }
  }
  if (!imported.empty())
    fmt::print(stderr,
               "imported runs of remote models are left out; `micius resume {}{}` goes on with them\n",
               join(imported, " "), place_words(places_));
  return runs;
}

EvaluateResult ResumeCommand::go_on(const ExecuteContext& context, SqlStore& store, ResponseCache& cache,
                                    RunId id) {
  const Run run = context.store.run(id);
  const RunSpec& spec = run.spec;
  if (const auto from = rescored_from(spec)) {
    LazyServices services(engine_.threads, places_);
    const Task task = make_task(spec.task_source, task_options_of(spec, data_roots(places_)));
    const auto scorer = make_scorer(task, data_roots(places_), &services);
    resume_rescore({task, *scorer, context.store, clock_, 0, from->observations}, id);
    return {};
  }
  LazyServices services(engine_.threads, places_);
  const auto reopening = [&](Log& log) {
    return ReopenContext{store,   clock_,   log,   places_,  engine_,
                         remote_, caching_, cache, services, RunsOf::kUser};
  };
  NotingLog log(context.log);  // of what the model does
  const auto runner = reopen_model(reopening(log), run);
  const ReopenedTask task = reopen_task(reopening(context.log), run, runner->info());
  std::unique_ptr<BatchLedger> ledger;  // before the runner that has it
  std::unique_ptr<Runner> batches;
  if (is_batch_run(spec)) {
    ledger = open_batch_ledger(places_.db, id, clock_, &log);
    batches = open_batch_runner(spec.model_source, {clock_, &context.store, &remote_, &log}, *ledger);
  }
  EvaluateResult result = execute(context, id, task.setup, task.plan, batches ? *batches : *runner);
  log.note_in(store, id);
  return result;
}

ExitCode ResumeCommand::run() {
  ProgressBoard board(quiet_ ? ProgressMode::kNone : progress_mode_from(progress_));
  ConsoleLog log(quiet_ ? ConsoleLog::Level::kErrorsOnly : ConsoleLog::Level::kWarnings, &board);
  remote_ = api_settings(api_);
  remote_.budgets = &budgets_;
  InterruptGuard interrupt;
  remote_.probe = ApiProbe::kModels;
  remote_.stop = interrupt.token();
  ResponseCache cache(clock_, log);
  const auto opened = open_store(places_.db, OpenMode::kExisting, clock_, &log, interrupt.token());
  SqlStore& store = *opened;
  const std::vector<RunId> runs = chosen(store);
  if (runs.empty()) {
    fmt::print(stderr, "nothing to resume: every run that {} is complete\n",
               runs_.empty() ? "began here" : "was named");
    return ExitCode::kGood;
  }
  bool failed = false;
  for (const RunId id : runs) {
    EvaluateResult result;
    try {
      result = go_on({store, clock_, log, board, interrupt.token(), place_words(places_)}, store, cache, id);
    } catch (const Error& error) {  // the others need not wait for a model that is gone
      if (runs.size() == 1 || interrupt.token().stop_requested()) throw;
      log.warning(fmt::format("run {} cannot go on: {}", static_cast<std::int64_t>(id), error.what()));
      failed = true;
      continue;
    }
    if (result.status == RunStatus::kComplete) forget_stop(store, id);
    failed = failed || result.failed > 0 || result.status == RunStatus::kStopped;
    if (result.interrupted) {
      fmt::print(stderr, "interrupted; what was done is kept, `micius resume{}` goes on\n",
                 place_words(places_));
      return ExitCode::kInterrupted;
    }
  }
  ReportFlags report;
  report.places = place_words(places_);
  if (!quiet_) write_reports(store, runs, report);
  return failed ? ExitCode::kFailed : ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_resume_command() { return std::make_unique<ResumeCommand>(); }

}  // namespace micius
