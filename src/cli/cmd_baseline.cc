// `micius baseline set|show|rm NAME [RUN...]`.
#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/runs.h"
#include "store/open_store.h"

namespace micius {
namespace {

class BaselineCommand final : public Command {
 public:
  std::string name() const override { return "baseline"; }
  std::string summary() const override { return "Named reference runs, for gate: set, show, rm"; }
  void define(CLI::App& app) override;
  ExitCode run() override;

 private:
  ExitCode set(SqlStore& store) const;
  ExitCode show(const SqlStore& store) const;

  PlaceFlags places_;
  std::string name_;
  std::vector<std::string> runs_;
  CLI::App* set_ = nullptr;
  CLI::App* rm_ = nullptr;
};

void BaselineCommand::define(CLI::App& app) {
  app.require_subcommand(1);
  const auto add = [&](const char* verb, const char* what) {
    CLI::App* sub = app.add_subcommand(verb, what);
    sub->add_option("name", name_, "The baseline's name")->required()->type_name("NAME");
    add_db_flag(*sub, places_);
    return sub;
  };
  set_ = add("set", "Make runs the baseline of that name, in place of what it was");
  set_->add_option("runs", runs_, "Runs, one of each task: numbers of `micius list runs`, or latest")
      ->required()
      ->type_name("RUN");
  add("show", "The runs of a baseline");
  rm_ = add("rm", "Forget the name; its runs stay");
}

ExitCode BaselineCommand::set(SqlStore& store) const {
  const std::vector<RunId> runs = resolve_runs(store, runs_);
  std::vector<std::string> tasks;
  for (const RunId id : runs) {
    const Run run = store.run(id);
    const auto number = static_cast<std::int64_t>(id);
    if (run.status != RunStatus::kComplete)
      fail(ErrorCode::kUsage, "run {} is not complete; `micius resume {}` goes on", number, number);
    if (std::find(tasks.begin(), tasks.end(), run.spec.task) != tasks.end())
      fail(ErrorCode::kUsage, "two of these runs are of {}; a baseline has one of each task", run.spec.task);
    tasks.push_back(run.spec.task);
  }
  store.set_baseline(name_, runs);
  return show(store);
}

ExitCode BaselineCommand::show(const SqlStore& store) const {
  for (const RunId id : store.baseline(name_)) {
    const Run run = store.run(id);
    fmt::print("{}: run {}, {} on {}, {}\n", name_, static_cast<std::int64_t>(id), run.spec.model.name,
               run.spec.task, run.finished);
  }
  return ExitCode::kGood;
}

ExitCode BaselineCommand::run() {
  const SystemClock clock;
  const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
  SqlStore& store = *opened;
  if (set_->parsed()) return set(store);
  if (!rm_->parsed()) return show(store);
  store.remove_baseline(name_);
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_baseline_command() { return std::make_unique<BaselineCommand>(); }

}  // namespace micius
