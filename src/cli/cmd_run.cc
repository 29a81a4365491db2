// `micius run TASKS --model M...`: every (task, model) pair is one run.
#include <algorithm>
#include <atomic>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/variable.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/dry_run.h"
#include "cli/early_stop.h"
#include "cli/enqueue.h"
#include "cli/environment.h"
#include "cli/execute.h"
#include "cli/flags.h"
#include "cli/imports.h"
#include "cli/invariance.h"
#include "cli/models.h"
#include "cli/noting_log.h"
#include "cli/progress.h"
#include "cli/remote.h"
#include "cli/requested_tasks.h"
#include "cli/response_cache.h"
#include "cli/run_output.h"
#include "cli/runs.h"
#include "cli/services.h"
#include "cli/signals.h"
#include "cli/sweep.h"
#include "store/batch_ledger.h"
#include "store/open_store.h"

namespace micius {
namespace {

// Each has threads, connections and open files of its own, of which a process may have about a thousand.
constexpr std::size_t kMostInBatches = 32;

// One model's runs of a command, in the order of its tasks.
struct ModelRuns {
  std::vector<RunId> runs;
  bool failed = false;  // samples of them, or it was stopped
  bool interrupted = false;
  bool could_not_run = false;
};

class RunCommand final : public Command {
 public:
  std::string name() const override { return "run"; }
  std::string summary() const override {
    return "Evaluate models on tasks; every pair is one run in the database";
  }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  void define_answer_flags(Flags& flags);
  void define_output_flags(Flags& flags);
  Json tags() const;
  Plan plan_of(std::size_t task, const std::string& model, const RunnerInfo& info);
  class Part;
  std::vector<std::pair<std::size_t, Plan>> plans_of(const std::string& model, const Runner& runner,
                                                     Log& log);
  ExitCode run_models(SqlStore& store, ProgressBoard& board, Log& log, const std::stop_token& stop);
  RunId begin_or_go_on(SqlStore& store, const Plan& plan) const;
  void check_enqueue() const;
  ExitCode show_dry_run(Log& log);

  std::optional<Flags> flags_;  // what was parsed
  PlaceFlags places_;
  EngineFlags engine_;
  ApiFlags api_;
  ApiSettings remote_;  // what the flags and the environment say
  CacheFlags caching_;
  QueueFlags queue_;
  AnswerCache* cache_ = nullptr;  // of remote models; null where it is off
  CacheUse cache_use_ = CacheUse::kGreedy;
  PlanOptions plan_;
  TaskFlags asked_;
  std::vector<std::string> models_, tags_;
  std::string truncate_ = "off", format_ = "text", progress_ = "auto", report_, config_;
  bool fresh_ = false, quiet_ = false, verify_invariance_ = false, dry_run_ = false;
  bool asks_in_batches_ = false;
  SystemClock clock_;
  std::optional<LazyServices> services_;  // before the tasks, whose scorers borrow it
  std::optional<RequestedTasks> tasks_;
  std::int64_t batch_ = 0;
  std::vector<RunId> runs_;  // in the order of the models, then of the tasks
  std::string stop_baseline_;
  std::vector<RunId> baseline_;  // its runs
};

void RunCommand::define(Flags& flags) {
  flags_ = flags;
  flags
      .add("tasks", asked_.tasks, "Tasks, suites, globs (arc_*) or task files, separated by commas or blanks")
      .required()
      .delimiter(',')
      .type("TASKS");
  flags
      .add("--model", models_,
           "Model: a name of `micius list models` or `micius list runners` (reference, empty, random, "
           "replay:RUN, openai:NAME ..), or a .gguf file; can be given several times")
      .required()
      .one_value()  // what follows its value is a task
      .type("M");
  add_db_flag(flags, places_);
  add_data_dir_flag(flags, places_);
  add_model_dir_flag(flags, places_);
  const Flag limit =
      flags.add("--limit", plan_.limit, "The first N samples of each task").at_least(1).type("N");
  flags.add("--sample-ids", plan_.sample_ids, "These samples only")
      .delimiter(',')
      .one_value()
      .type("A,B")
      .excludes(limit);
  flags.add("--seed", plan_.seed, "Of few-shot draws, sampling and `random`").at_least(0).show_default();
  flags.add("--repeats", plan_.repeats, "Times each sample is asked").at_least(1).show_default();
  add_task_flags(flags, asked_);
  define_answer_flags(flags);
  add_engine_flags(flags, engine_);
  add_api_flags(flags, api_);
  add_cache_flags(flags, caching_);
  add_queue_flags(flags, queue_);
  define_output_flags(flags);
}

void RunCommand::define_answer_flags(Flags& flags) {
  flags.add("--max-tokens", plan_.max_tokens, "Of each answer, over the task's own").at_least(1);
  flags.add("--temperature", plan_.temperature, "0: greedy; over the task's own").within(0, 100);
  flags
      .add("--truncate", truncate_,
           "A prompt that is longer than a remote model's context: off, it counts as wrong; left, its "
           "beginning is left out")
      .one_of({"off", "left"})
      .show_default();
  flags.add("--top-k", plan_.top_k, "Keep the k most likely tokens; 0: off").at_least(0);
  flags.add("--top-p", plan_.top_p, "Keep the most likely tokens up to this mass").within(0, 1);
  flags.add("--min-p", plan_.min_p, "Drop tokens below this share of the most likely one").within(0, 1);
}

void RunCommand::define_output_flags(Flags& flags) {
  flags.add("--tag", tags_, "Kept with the run").one_value().type("KEY=VALUE");
  flags.add("--fresh", fresh_, "Begin anew although an unfinished run of the same spec is there");
  const Flag verify =
      flags.add("--verify-invariance", verify_invariance_,
                "Ask everything three times again, with nothing shared, other threads, batches and orders");
  flags
      .add("--stop-when-decided", stop_baseline_,
           "End a run once it is better or worse than the baseline's (docs/gate.md)")
      .type("BASELINE")
      .excludes(verify);
  flags
      .add("--batch", asks_in_batches_,
           "Ask remote models through their batch API: half the price, answers within a day")
      .excludes(verify);
  flags.add("--dry-run", dry_run_,
            "Say how many samples and tokens it would be, and their cost; ask nothing");
  flags.add("--report", report_, "Write a report at the end; format by its ending").type("FILE");
  flags.add("--format", format_, "Of the result on stdout").one_of({"text", "json"}).show_default();
  flags.add("-q,--quiet", quiet_, "Errors only, no table");
  flags.add("--progress", progress_, "auto, plain or none").show_default();
  flags.add("--config", config_, "These flags in JSON; flags of the command line win").type("FILE");
}

Json RunCommand::tags() const {
  Json json = Json::object();
  for (const std::string& tag : tags_) {
    const auto pair = read_variable(tag);
    if (!pair) fail(ErrorCode::kUsage, "--tag '{}' is not KEY=VALUE", tag);
    json[std::string(pair->name)] = pair->value;
  }
  return json;
}

// An unfinished run of the same spec is gone on with, unless --fresh.
RunId RunCommand::begin_or_go_on(SqlStore& store, const Plan& plan) const {
  const auto known = fresh_ ? std::nullopt : unfinished_run(store, plan.spec, queue_, places_);
  if (!known) return store.begin(plan.spec, batch_);
  store.set_batch(*known, batch_);
  return *known;
}

Plan RunCommand::plan_of(std::size_t task, const std::string& model, const RunnerInfo& info) {
  PlanOptions options = plan_;
  const TaskRequest& request = tasks_->request(task);
  if (!options.limit && options.sample_ids.empty()) options.limit = request.limit;
  if (!options.max_tokens) options.max_tokens = request.max_tokens;
  const TaskSetup& setup = tasks_->setup_for(task, info);
  Plan plan = plan_run(setup, info, options);
  plan.spec.tags = tags();
  Json environment = machine_environment();
  environment.update(plan.spec.environment);  // the runner knows more of it
  plan.spec.environment = std::move(environment);
  if (const Json judged = setup.scorer->environment(); !judged.empty())
    plan.spec.environment["scorer"] = judged;
  plan.spec.model_source = model_source(model, remote_);
  return plan;
}

// By the index of their task. What a model cannot do of a suite is left out, and what comes to the same run
// (a file by two paths, a suite's part that --limit cuts to another's) is asked once.
std::vector<std::pair<std::size_t, Plan>> RunCommand::plans_of(const std::string& model, const Runner& runner,
                                                               Log& log) {
  std::vector<std::pair<std::size_t, Plan>> plans;
  std::set<std::string> known;
  for (std::size_t i = 0; i < tasks_->size(); ++i) {
    try {
      Plan plan = plan_of(i, model, runner.info());
      if (known.insert(spec_sha256(plan.spec)).second) plans.emplace_back(i, std::move(plan));
    } catch (const Error& error) {
      const auto& suite = tasks_->request(i).suite;
      if (error.code() != ErrorCode::kUnsupported || !suite || tasks_->size() == 1) throw;
      log.warning(fmt::format("left out of {}: {}", *suite, error.what()));
    }
  }
  if (plans.empty()) fail(ErrorCode::kUnsupported, "model '{}' can do none of the tasks", runner.info().name);
  return plans;
}

// One of the models. Its plans are made, and its runs begun, before the first of them is worked on, so that
// what is wrong with one is said at once and runs are numbered in the order of the models.
class RunCommand::Part final : public SweepPart {
 public:
  // `shared` has the store of the caller's thread. All of them must outlive this.
  Part(RunCommand& command, std::string name, SqlStore& store, const ExecuteContext& shared)
      : model(std::move(name)), command_(command), store_(store), shared_(shared), log_(shared.log) {}

  bool is_remote() const override { return is_remote_model(model); }
  void open() override {
    runner_ = open_model(
        model, command_.engine_, command_.places_,
        {command_.clock_, &shared_.store, &command_.remote_, &log_, command_.cache_, command_.cache_use_});
  }
  void prepare() override {
    plans_ = command_.plans_of(model, *runner_, shared_.log);
    if (!command_.stop_baseline_.empty())
      for (const auto& [task, plan] : plans_) early_stop(store_).check(plan);
    for (const auto& [task, plan] : plans_) {
      result.runs.push_back(command_.begin_or_go_on(store_, plan));
      setups_.push_back(&command_.tasks_->setup_for(task, runner_->info()));
    }
  }
  void work() override;
  void close() override { runner_.reset(); }

  const std::string model;
  ModelRuns result;

 private:
  std::unique_ptr<SqlStore> own_store() const {  // one is for one thread
    return open_store(command_.places_.db, OpenMode::kExisting, command_.clock_, &shared_.log, shared_.stop);
  }
  EvaluateResult ask(std::size_t plan, SqlStore& store, Runner& runner) const;
  EvaluateResult ask_in_batches(std::size_t plan);
  void ask_all_in_batches();
  void enqueue_all(SqlStore& store);
  void note(const EvaluateResult& ended);
  EarlyStop early_stop(SqlStore& store) const {
    return {store, command_.stop_baseline_, command_.baseline_,
            command_.tasks_->size() * command_.models_.size()};
  }

  RunCommand& command_;
  SqlStore& store_;
  const ExecuteContext& shared_;
  NotingLog log_;
  std::unique_ptr<Runner> runner_;
  std::vector<std::pair<std::size_t, Plan>> plans_;
  std::vector<const TaskSetup*> setups_;  // of the plans
};

// One run, to its last record. `store` is the calling thread's.
EvaluateResult RunCommand::Part::ask(std::size_t plan, SqlStore& store, Runner& runner) const {
  const ExecuteContext context{store,         shared_.clock, shared_.log,
                               shared_.board, shared_.stop,  shared_.places};
  const RunId run = result.runs[plan];
  EvaluateResult ended =
      command_.stop_baseline_.empty()
          ? execute(context, run, *setups_[plan], plans_[plan].second, runner)
          : early_stop(store).execute(context, run, *setups_[plan], plans_[plan].second, runner);
  if (ended.status == RunStatus::kComplete) forget_stop(store, run);
  log_.note_in(store, run);
  return ended;
}

// A runner counts its own money only: of a budget each task has the share that it has of the samples.
EvaluateResult RunCommand::Part::ask_in_batches(std::size_t plan) {
  const auto samples = [](const Plan& p) { return static_cast<double>(p.chosen.size()); };
  double all = 0;
  for (const auto& [task, other] : plans_) all += samples(other);
  ApiSettings settings = command_.remote_;
  if (settings.budget_usd && all > 0) *settings.budget_usd *= samples(plans_[plan].second) / all;
  const auto store = own_store();
  const auto ledger = open_batch_ledger(command_.places_.db, result.runs[plan], command_.clock_, &log_);
  const auto runner = open_batch_runner(model, {command_.clock_, store.get(), &settings, &log_}, *ledger);
  return ask(plan, *store, *runner);
}

// Batches take hours: those of many tasks are with the provider at the same time.
void RunCommand::Part::ask_all_in_batches() {
  std::atomic<std::size_t> next = 0;
  std::mutex noting;
  const auto ask_one_after_the_other = [&] {
    for (std::size_t i = next++; i < plans_.size(); i = next++) {
      const EvaluateResult ended = ask_in_batches(i);
      const std::lock_guard lock(noting);
      note(ended);
    }
  };
  std::vector<std::future<void>> asking;
  while (asking.size() < std::min(plans_.size(), kMostInBatches))
    asking.push_back(std::async(std::launch::async, ask_one_after_the_other));
  for (auto& ended : asking) ended.get();
}

void RunCommand::Part::note(const EvaluateResult& ended) {
  result.failed = result.failed || ended.failed > 0 || ended.status == RunStatus::kStopped;
  result.interrupted = result.interrupted || ended.interrupted;
}

void RunCommand::Part::enqueue_all(SqlStore& store) {
  for (std::size_t i = 0; i < plans_.size(); ++i) {
    const std::string made = enqueue(store, result.runs[i], {setups_[i]->task, plans_[i].second},
                                     command_.queue_, command_.remote_);
    if (!command_.quiet_) fmt::print("{}\n", made);
  }
}

void RunCommand::Part::work() {
  const auto store = own_store();
  if (command_.queue_.enqueue) return enqueue_all(*store);
  if (command_.asks_in_batches_) {
    ask_all_in_batches();
  } else {
    for (std::size_t i = 0; i < plans_.size() && !result.interrupted; ++i) note(ask(i, *store, *runner_));
  }
  runner_.reset();  // before the next model of this machine takes its memory
  if (!command_.verify_invariance_ || result.interrupted) return;
  const Invariance found = verify_invariance(*store, result.runs, model, command_.engine_, command_.places_,
                                             command_.clock_, shared_.stop);
  result.interrupted = found == Invariance::kInterrupted;
  result.failed = result.failed || found == Invariance::kBroken;
}

ExitCode RunCommand::run_models(SqlStore& store, ProgressBoard& board, Log& log,
                                const std::stop_token& stop) {
  const ExecuteContext shared{store, clock_, log, board, stop, place_words(places_)};
  std::vector<std::unique_ptr<SweepPart>> parts;
  for (const std::string& model : models_)
    parts.push_back(std::make_unique<Part>(*this, model, store, shared));
  const auto result_of = [](SweepPart& part) -> ModelRuns& { return static_cast<Part&>(part).result; };
  if (parts.size() == 1) {  // what it throws is the command's
    parts.front()->open();
    parts.front()->prepare();
    parts.front()->work();
  } else {
    sweep(parts, stop, [&](SweepPart& part, const std::exception& error) {
      board.print(visible_text(
          without_passwords(fmt::format("{}: {}", static_cast<Part&>(part).model, error.what()))));
      result_of(part).could_not_run = true;
    });
  }
  bool failed = false, interrupted = false, has_run = false;
  for (const auto& part : parts) {
    const ModelRuns& result = result_of(*part);
    runs_.insert(runs_.end(), result.runs.begin(), result.runs.end());
    failed = failed || result.failed || result.could_not_run;
    const bool not_begun = result.runs.empty() && !result.could_not_run;
    interrupted = interrupted || result.interrupted || (not_begun && stop.stop_requested());
    has_run = has_run || !result.could_not_run;
  }
  if (interrupted) return ExitCode::kInterrupted;
  if (!has_run) return ExitCode::kCannotRun;
  return failed ? ExitCode::kFailed : ExitCode::kGood;
}

ExitCode RunCommand::run() {
  ProgressBoard board(quiet_ ? ProgressMode::kNone : progress_mode_from(progress_));
  ConsoleLog log(quiet_ ? ConsoleLog::Level::kErrorsOnly : ConsoleLog::Level::kWarnings, &board);
  if (report_ == "-") fail(ErrorCode::kUsage, "--report names a file; --format says what stdout is");
  ReportFlags report_file;
  report_file.output = report_;
  if (!report_.empty()) check_report_file(report_file, places_.db);
  if (queue_.enqueue) check_enqueue();
  remote_ = api_settings(api_);
  if (truncate_ == "left") remote_.truncation = ApiTruncation::kLeft;
  if (asks_in_batches_) remote_.batching = ApiBatching::kOn;
  models_ = split_models(models_);
  if (models_.empty()) fail(ErrorCode::kUsage, "--model names no model");
  for (const std::string& model : models_) {
    require_model(model, places_, {clock_, nullptr, &remote_});
    if (verify_invariance_) check_invariance(model, engine_);
    if (asks_in_batches_) check_batch_model(model, remote_);
  }
  services_.emplace(engine_.threads, places_);
  tasks_.emplace(asked_, data_roots(places_), plan_.seed, SetupContext{*services_, log});
  const bool asks_server = std::any_of(models_.begin(), models_.end(), is_remote_model);
  if (asks_server && !asks_in_batches_ && tasks_->any_weighs_choices())
    remote_.likelihoods = dry_run_ ? ApiLikelihoods::kAssumed : ApiLikelihoods::kByEcho;
  if (dry_run_) return show_dry_run(log);

  InterruptGuard interrupt;
  remote_.probe = ApiProbe::kModels;
  remote_.stop = interrupt.token();
  ResponseCache cache(clock_, log);
  if (asks_server) cache_ = cache.use(caching_);
  cache_use_ = cache.cache_use();
  const auto opened = open_store(places_.db, OpenMode::kCreate, clock_, &log, interrupt.token());
  SqlStore& store = *opened;
  batch_ = next_batch(store);
  if (!stop_baseline_.empty()) baseline_ = baseline_runs(store, stop_baseline_);
  const ExitCode code = run_models(store, board, log, interrupt.token());
  if (code == ExitCode::kInterrupted) {
    fmt::print(stderr, "interrupted; what was done is kept, `micius resume{}` goes on\n",
               place_words(places_));
    return code;
  }
  if (!runs_.empty() && !queue_.enqueue)
    print_run_results(store, runs_, {report_, format_, quiet_, repeat_line(*flags_)}, places_);
  return code;
}

// What is of one process, or of an end that this one does not see.
void RunCommand::check_enqueue() const {
  if (dry_run_ || asks_in_batches_ || verify_invariance_ || !stop_baseline_.empty() || !report_.empty() ||
      format_ != "text") {
    fail(ErrorCode::kUsage,
         "--enqueue leaves the runs to workers: it does not go with --dry-run, --batch, --verify-invariance, "
         "--stop-when-decided, --report or --format json (`micius status --format json` has the runs)");
  }
}

ExitCode RunCommand::show_dry_run(Log& log) {
  std::vector<DryRun> runs;
  for (const std::string& model : models_) {
    const auto runner = open_model(model, engine_, places_, {clock_, nullptr, &remote_, &log});
    if (remote_.likelihoods == ApiLikelihoods::kAssumed && runner->info().weighs &&
        api_kind_from(runner->info().kind))
      log.warning(model + " is taken to give log-likelihoods; a run asks its server first");
    for (const auto& [task, plan] : plans_of(model, *runner, log))
      runs.push_back(dry_run(tasks_->setup_for(task, runner->info()).task, plan, remote_));
  }
  print_dry_runs(runs, format_);
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_run_command() { return std::make_unique<RunCommand>(); }

}  // namespace micius
