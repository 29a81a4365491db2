// `micius run TASKS --model M...`: every (task, model) pair is one run.
#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <span>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/variable.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/dry_run.h"
#include "cli/early_stop.h"
#include "cli/environment.h"
#include "cli/execute.h"
#include "cli/imports.h"
#include "cli/invariance.h"
#include "cli/models.h"
#include "cli/remote.h"
#include "cli/response_cache.h"
#include "cli/runs.h"
#include "cli/services.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "reports/command.h"
#include "store/batch_ledger.h"
#include "store/open_store.h"
#include "tasks/registry.h"
#include "tasks/suites.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLetterNote =
    "the letter of a choice was asked for, since the model gives no log-likelihoods: acc_letter compares "
    "with no acc";

class RunCommand final : public Command {
 public:
  std::string name() const override { return "run"; }
  std::string summary() const override {
    return "Evaluate models on tasks; every pair is one run in the database";
  }
  void define(CLI::App& app) override;
  ExitCode run() override;

 private:
  void define_prompt_flags(CLI::App& app);
  void define_output_flags(CLI::App& app);
  TaskOptions task_options() const;
  TaskSetup set_up(const TaskRequest& request, const Json& more_params);
  void set_up_all(Log& log);
  std::vector<TaskRequest> requested_tasks() const;
  Json tags() const;
  TaskSetup& setup_for(std::size_t task, const RunnerInfo& model);
  Plan plan_of(std::size_t task, const std::string& model, const RunnerInfo& info);
  std::vector<std::pair<std::size_t, Plan>> plans_of(const std::string& model, const Runner& runner);
  bool run_model(const ExecuteContext& context, const std::string& model);
  ExitCode run_pairs(const ExecuteContext& context);
  RunId begin_or_go_on(const Plan& plan) const;
  void print_results(const Store& store) const;
  ExitCode show_dry_run(Log& log);
  std::string command_line() const;

  const CLI::App* app_ = nullptr;  // what was parsed
  PlaceFlags places_;
  EngineFlags engine_;
  ApiFlags api_;
  ApiSettings remote_;  // what the flags and the environment say
  CacheFlags caching_;
  AnswerCache* cache_ = nullptr;  // of remote models; null where it is off
  CacheUse cache_use_ = CacheUse::kGreedy;
  PlanOptions plan_;
  std::vector<std::string> tasks_, models_, tags_;
  std::optional<int> shots_;
  std::string chat_template_ = "auto", shots_as_ = "turns", system_, params_, profile_ = "lm-eval",
              truncate_ = "off";
  std::string format_ = "text", progress_ = "auto", report_, config_;
  bool fresh_ = false, quiet_ = false, verify_invariance_ = false, dry_run_ = false;
  bool asks_in_batches_ = false;
  SystemClock clock_;
  std::optional<LazyServices> services_;  // before the setups, whose scorers borrow it
  std::optional<SetupContext> context_;
  std::vector<TaskSetup> setups_;
  std::map<std::size_t, TaskSetup>
      letter_setups_;                  // by the index of the task's own, for models that weigh nothing
  std::vector<TaskRequest> requests_;  // of the setups
  std::int64_t batch_ = 0;
  std::vector<RunId> runs_;
  SqlStore* store_ = nullptr;
  std::string stop_baseline_;
  std::optional<EarlyStop> early_stop_;
  bool failed_ = false;
};

void RunCommand::define(CLI::App& app) {
  app_ = &app;
  app.add_option("tasks", tasks_, "Tasks, suites, globs (arc_*) or task files, separated by commas or blanks")
      ->required()
      ->delimiter(',')
      ->type_name("TASKS");
  app.add_option("--model", models_,
                 "Model: a name of `micius list models` or `micius list runners` (reference, empty, random, "
                 "replay:RUN, openai:NAME ..), or a .gguf file; can be given several times")
      ->required()
      ->allow_extra_args(false)  // what follows its value is a task
      ->type_name("M");
  add_db_flag(app, places_);
  add_data_dir_flag(app, places_);
  add_model_dir_flag(app, places_);
  auto* limit = app.add_option("--limit", plan_.limit, "The first N samples of each task")
                    ->check(whole_number(1))
                    ->type_name("N");
  app.add_option("--sample-ids", plan_.sample_ids, "These samples only")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->type_name("A,B")
      ->excludes(limit);
  app.add_option("--seed", plan_.seed, "Of few-shot draws, sampling and `random`")
      ->check(whole_number(0))
      ->capture_default_str();
  app.add_option("--repeats", plan_.repeats, "Times each sample is asked")
      ->check(whole_number(1))
      ->capture_default_str();
  define_prompt_flags(app);
  add_engine_flags(app, engine_);
  add_api_flags(app, api_);
  add_cache_flags(app, caching_);
  define_output_flags(app);
}

void RunCommand::define_prompt_flags(CLI::App& app) {
  app.add_option("--shots", shots_, "Few-shot examples (default: the task's)")->check(whole_number(0));
  app.add_option("--chat-template", chat_template_,
                 "auto: tasks written as messages use the model's template; on: all tasks; off: none")
      ->check(CLI::IsMember({"auto", "on", "off"}))
      ->capture_default_str();
  app.add_option("--shots-as", shots_as_, "With a template: shots as chat turns, or in the text of one turn")
      ->check(CLI::IsMember({"turns", "text"}))
      ->capture_default_str();
  app.add_option("--system", system_, "System message before everything")->type_name("TEXT");
  app.add_option("--task-params", params_, "Parameters of the task as JSON, {\"mode\": \"oracle\"}")
      ->type_name("JSON");
  app.add_option("--profile", profile_,
                 "Whose scoring of choices: lm-eval's, or llama.cpp's means of log-likelihoods a token")
      ->check(CLI::IsMember({"lm-eval", "llama.cpp"}))
      ->capture_default_str();
  app.add_option("--max-tokens", plan_.max_tokens, "Of each answer, over the task's own")
      ->check(whole_number(1));
  app.add_option("--temperature", plan_.temperature, "0: greedy; over the task's own")
      ->check(number_within(0, 100));
  app.add_option("--truncate", truncate_,
                 "A prompt that is longer than a remote model's context: off, it counts as wrong; left, its "
                 "beginning is left out")
      ->check(CLI::IsMember({"off", "left"}))
      ->capture_default_str();
  app.add_option("--top-k", plan_.top_k, "Keep the k most likely tokens; 0: off")->check(whole_number(0));
  app.add_option("--top-p", plan_.top_p, "Keep the most likely tokens up to this mass")
      ->check(number_within(0, 1));
  app.add_option("--min-p", plan_.min_p, "Drop tokens below this share of the most likely one")
      ->check(number_within(0, 1));
}

void RunCommand::define_output_flags(CLI::App& app) {
  app.add_option("--tag", tags_, "Kept with the run")->allow_extra_args(false)->type_name("KEY=VALUE");
  app.add_flag("--fresh", fresh_, "Begin anew although an unfinished run of the same spec is there");
  auto* verify = app.add_flag(
      "--verify-invariance", verify_invariance_,
      "Ask everything three times again, with nothing shared, other threads, batches and orders");
  app.add_option("--stop-when-decided", stop_baseline_,
                 "End a run once it is better or worse than the baseline's (docs/gate.md)")
      ->type_name("BASELINE")
      ->excludes(verify);
  app.add_flag("--batch", asks_in_batches_,
               "Ask remote models through their batch API: half the price, answers within a day")
      ->excludes(verify);
  app.add_flag("--dry-run", dry_run_,
               "Say how many samples and tokens it would be, and their cost; ask nothing");
  app.add_option("--report", report_, "Write a report at the end; format by its ending")->type_name("FILE");
  app.add_option("--format", format_, "Of the result on stdout")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  app.add_flag("-q,--quiet", quiet_, "Errors only, no table");
  app.add_option("--progress", progress_, "auto, plain or none")->capture_default_str();
  app.add_option("--config", config_, "These flags in JSON; flags of the command line win")
      ->type_name("FILE");
}

TaskOptions RunCommand::task_options() const {
  TaskOptions options;
  options.shots = shots_;
  options.system = system_;
  options.roots = data_roots(places_);
  if (!params_.empty()) options.params = parse_json(params_, "--task-params");
  if (!options.params.is_object()) fail(ErrorCode::kUsage, "--task-params: expected an object");
  if (profile_ != "lm-eval") options.params["profile"] = profile_;
  if (chat_template_ == "off") options.style = PromptStyle::kText;
  if (chat_template_ == "on")
    options.style = shots_as_ == "text" ? PromptStyle::kOneTurn : PromptStyle::kTurns;
  return options;
}

// With --shots-as text, a task that is asked as a chat by itself is so asked.
TaskSetup RunCommand::set_up(const TaskRequest& request, const Json& more_params) {
  const std::string source = request.file ? request.file->string() : request.name;
  TaskOptions options = task_options();
  options.params.update(more_params);
  if (!options.shots && profile_ == "lm-eval") options.shots = request.shots;
  TaskSetup setup = set_up_task(source, options, plan_.seed, *context_);
  if (shots_as_ == "turns" || options.style == PromptStyle::kOneTurn) return setup;
  if (setup.task.style == PromptStyle::kText) {
    fail(ErrorCode::kUsage, "--shots-as text: '{}' is asked without a chat template; add --chat-template on",
         setup.task.name);
  }
  options.style = PromptStyle::kOneTurn;
  return set_up_task(source, options, plan_.seed, *context_);
}

// Where a model gives no log-likelihoods, the letter of a choice is asked for.
TaskSetup& RunCommand::setup_for(std::size_t task, const RunnerInfo& model) {
  TaskSetup& own = setups_[task];
  if (model.weighs || !has_letter_form(own.task)) return own;
  const auto known = letter_setups_.find(task);
  if (known != letter_setups_.end()) return known->second;
  TaskSetup letter = set_up(requests_[task], {{"form", "letter"}});
  letter.notes.insert(letter.notes.begin(), kLetterNote);
  context_->log.warning(kLetterNote);
  return letter_setups_.emplace(task, std::move(letter)).first->second;
}

std::vector<TaskRequest> RunCommand::requested_tasks() const {
  return expand_tasks(join(tasks_, ","), task_registry().names());
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
RunId RunCommand::begin_or_go_on(const Plan& plan) const {
  if (!fresh_) {
    const std::string wanted = spec_sha256(plan.spec);
    for (const Run& run : store_->runs()) {
      if (run.status == RunStatus::kComplete || spec_sha256(run.spec) != wanted) continue;
      if (is_batch_run(run.spec) != is_batch_run(plan.spec)) continue;  // its answers have another price
      store_->set_batch(run.id, batch_);
      forget_stop(*store_, run.id);
      return run.id;
    }
  }
  return store_->begin(plan.spec, batch_);
}

Plan RunCommand::plan_of(std::size_t task, const std::string& model, const RunnerInfo& info) {
  PlanOptions options = plan_;
  if (!options.limit && options.sample_ids.empty()) options.limit = requests_[task].limit;
  if (!options.max_tokens) options.max_tokens = requests_[task].max_tokens;
  const TaskSetup& setup = setup_for(task, info);
  Plan plan = plan_run(setup, info, options);
  plan.spec.tags = tags();
  plan.spec.environment.update(machine_environment());
  if (const Json judged = setup.scorer->environment(); !judged.empty())
    plan.spec.environment["scorer"] = judged;
  plan.spec.model_source = model_source(model, remote_);
  return plan;
}

// By the index of their task. What a model cannot do of a suite is left out.
std::vector<std::pair<std::size_t, Plan>> RunCommand::plans_of(const std::string& model,
                                                               const Runner& runner) {
  std::vector<std::pair<std::size_t, Plan>> plans;
  for (std::size_t i = 0; i < setups_.size(); ++i) {
    try {
      plans.emplace_back(i, plan_of(i, model, runner.info()));
    } catch (const Error& error) {
      const auto& suite = requests_[i].suite;
      if (error.code() != ErrorCode::kUnsupported || !suite || setups_.size() == 1) throw;
      context_->log.warning(fmt::format("left out of {}: {}", *suite, error.what()));
    }
  }
  if (plans.empty()) fail(ErrorCode::kUnsupported, "model '{}' can do none of the tasks", runner.info().name);
  return plans;
}

// A model's plans are made before its first run, so that what is wrong with one of them is said at once.
// False if the user interrupted it.
bool RunCommand::run_model(const ExecuteContext& context, const std::string& model) {
  const auto runner = open_model(model, engine_, places_,
                                 {clock_, &context.store, &remote_, &context.log, cache_, cache_use_});
  const auto plans = plans_of(model, *runner);
  if (early_stop_)
    for (const auto& [task, plan] : plans) early_stop_->check(plan);
  for (const auto& [task, plan] : plans) {
    const RunId run = begin_or_go_on(plan);
    runs_.push_back(run);
    const TaskSetup& setup = setup_for(task, runner->info());
    std::unique_ptr<BatchLedger> ledger;  // before the runner that has it
    std::unique_ptr<Runner> batches;
    if (asks_in_batches_) {
      ledger = open_batch_ledger(places_.db, run, clock_, &context.log);
      batches = open_batch_runner(model, {clock_, &context.store, &remote_, &context.log}, *ledger);
    }
    Runner& asked = batches ? *batches : *runner;
    const EvaluateResult result = early_stop_ ? early_stop_->execute(context, run, setup, plan, asked)
                                              : execute(context, run, setup, plan, asked);
    failed_ = failed_ || result.failed > 0 || result.status == RunStatus::kStopped;
    if (result.interrupted) return false;
  }
  return true;
}

ExitCode RunCommand::run_pairs(const ExecuteContext& context) {
  for (const std::string& model : models_) {
    const std::size_t first = runs_.size();
    if (!run_model(context, model)) return ExitCode::kInterrupted;
    if (!verify_invariance_) continue;
    const Invariance found = verify_invariance(context.store, std::span(runs_).subspan(first), model, engine_,
                                               places_, clock_, context.stop);
    if (found == Invariance::kInterrupted) return ExitCode::kInterrupted;
    failed_ = failed_ || found == Invariance::kBroken;
  }
  return failed_ ? ExitCode::kFailed : ExitCode::kGood;
}

// Tasks of a suite whose data is missing are named, those that lack the same file together; the rest runs.
void RunCommand::set_up_all(Log& log) {
  constexpr std::size_t kNamed = 3;
  std::map<std::string, std::vector<std::string>> left_out;  // by what is missing of which suite
  context_.emplace(SetupContext{*services_, log});
  for (const TaskRequest& request : requested_tasks()) {
    try {
      setups_.push_back(set_up(request, Json::object()));
      requests_.push_back(request);
    } catch (const Error& error) {
      const bool missing = error.code() == ErrorCode::kNotFound || error.code() == ErrorCode::kUnsupported;
      if (!missing || !request.suite) throw;
      left_out[fmt::format("left out of {}: {}", *request.suite, error.what())].push_back(request.name);
    }
  }
  for (auto& [why, tasks] : left_out) {
    const std::size_t more = tasks.size() > kNamed ? tasks.size() - kNamed : 0;
    tasks.resize(tasks.size() - more);
    log.warning(fmt::format("{}{} {} {}", join(tasks, ", "),
                            more > 0 ? fmt::format(" and {} more", more) : "",
                            tasks.size() > 1 ? "are" : "is", why));
  }
  if (setups_.empty()) fail(ErrorCode::kNotFound, "no task is left to run");
}

ExitCode RunCommand::run() {
  ConsoleLog log(quiet_ ? ConsoleLog::Level::kErrorsOnly : ConsoleLog::Level::kWarnings);
  const ProgressMode progress = quiet_ ? ProgressMode::kNone : progress_mode_from(progress_);
  if (report_ == "-") fail(ErrorCode::kUsage, "--report names a file; --format says what stdout is");
  ReportFlags report_file;
  report_file.output = report_;
  if (!report_.empty()) check_report_file(report_file, places_.db);
  remote_ = api_settings(api_);
  if (truncate_ == "left") remote_.truncation = ApiTruncation::kLeft;
  if (asks_in_batches_) remote_.batching = ApiBatching::kOn;
  models_ = split_models(models_);
  if (models_.empty()) fail(ErrorCode::kUsage, "--model names no model");
  for (const std::string& model : models_) {
    require_model(model, places_, {clock_, nullptr, &remote_});
    if (verify_invariance_) require_engine_model(model, "--verify-invariance");
    if (asks_in_batches_) check_batch_model(model, remote_);
  }
  services_.emplace(engine_.threads, places_);
  set_up_all(log);
  const bool asks_server = std::any_of(models_.begin(), models_.end(), [](const std::string& model) {
    return api_kind_from(model.substr(0, model.find(':'))).has_value();
  });
  if (dry_run_) return show_dry_run(log);
  if (asks_server && !asks_in_batches_ && std::any_of(setups_.begin(), setups_.end(), weighs_choices))
    remote_.likelihoods = ApiLikelihoods::kByEcho;

  InterruptGuard interrupt;
  remote_.probe = ApiProbe::kModels;
  remote_.stop = interrupt.token();
  ResponseCache cache(clock_, log);
  if (asks_server) cache_ = cache.use(caching_);
  cache_use_ = cache.cache_use();
  const auto opened = open_store(places_.db, OpenMode::kCreate, clock_, &log);
  SqlStore& store = *opened;
  batch_ = next_batch(store);
  store_ = &store;
  if (!stop_baseline_.empty())
    early_stop_.emplace(store, stop_baseline_, baseline_runs(store, stop_baseline_),
                        setups_.size() * models_.size());
  const ExitCode code = run_pairs({store, clock_, log, progress, interrupt.token(), place_words(places_)});
  if (code == ExitCode::kInterrupted) {
    fmt::print(stderr, "interrupted; what was done is kept, `micius resume{}` goes on\n",
               place_words(places_));
    return code;
  }
  print_results(store);
  return code;
}

ExitCode RunCommand::show_dry_run(Log& log) {
  std::vector<DryRun> runs;
  for (const std::string& model : models_) {
    const auto runner = open_model(model, engine_, places_, {clock_, nullptr, &remote_, &log});
    for (const auto& [task, plan] : plans_of(model, *runner))
      runs.push_back(dry_run(setup_for(task, runner->info()).task, plan, remote_));
  }
  print_dry_runs(runs, format_);
  return ExitCode::kGood;
}

void RunCommand::print_results(const Store& store) const {
  const bool shown = !quiet_ || format_ != "text";
  if (shown) {  // first: the report's file may fail
    ReportFlags flags;
    flags.format = format_;
    flags.places = place_words(places_);
    write_reports(store, runs_, flags);
  }
  if (!report_.empty()) {
    ReportFlags flags;
    flags.output = report_;
    write_reports(store, runs_, flags);
  }
  if (shown && format_ == "text") {
    const std::string report =
        report_.empty()
            ? fmt::format("`micius report latest{} -o report.html` writes one", database_words(places_))
            : fs::path(report_).string();
    const std::vector<std::string> parts = {"report: " + report, "database: " + database_label(places_.db),
                                            "again: " + command_line()};
    const std::string line = join(parts, "     ");
    fmt::print("\n{}\n", line.size() <= terminal_width(stdout) ? line : join(parts, "\n"));
  }
}

// The command that repeats this run, from what the user gave; how it was shown is left out.
std::string RunCommand::command_line() const {
  std::string line = "micius run";
  for (const CLI::Option* option : app_->get_options([](const CLI::Option* o) { return o->count() > 0; })) {
    if (option->get_lnames().empty()) {  // TASKS
      line += " " + shell_word(join(option->results(), ","));
      continue;
    }
    const std::string name = option->get_lnames().front();
    if (name == "format" || name == "progress" || name == "report") continue;
    for (const std::string& value : option->results()) {
      line += " --" + name;
      if (option->get_items_expected_max() > 0)
        line += " " + shell_word(name == "db" ? database_label(value) : value);
    }
  }
  return line;
}

}  // namespace

std::unique_ptr<Command> make_run_command() { return std::make_unique<RunCommand>(); }

}  // namespace micius
