// `micius baseline set|show|rm NAME [RUN...]`.
#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "store/open_store.h"

namespace micius {
namespace {

class BaselineCommand final : public Command {
 public:
  std::string name() const override { return "baseline"; }
  std::string summary() const override { return "Named reference runs, for gate: set, show, rm"; }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  ExitCode set(SqlStore& store) const;
  ExitCode show(const SqlStore& store) const;
  ExitCode remove(SqlStore& store) const;

  PlaceFlags places_;
  std::string name_;
  std::vector<std::string> runs_;
  std::function<ExitCode(SqlStore&)> action_;
};

void BaselineCommand::define(Flags& flags) {
  flags.require_verb();
  const auto add = [&](const char* name, const char* what, const std::function<ExitCode(SqlStore&)>& action) {
    Flags verb = flags.verb(name, what, [this, action] { action_ = action; });
    verb.add("name", name_, "The baseline's name").required().type("NAME");
    add_db_flag(verb, places_);
    return verb;
  };
  Flags set = add("set", "Make runs the baseline of that name, in place of what it was",
                  [this](SqlStore& store) { return this->set(store); });
  set.add("runs", runs_, "Runs, one of each task: numbers of `micius list runs`, or latest")
      .required()
      .type("RUN");
  add("show", "The runs of a baseline", [this](SqlStore& store) { return show(store); });
  add("rm", "Forget the name; its runs stay", [this](SqlStore& store) { return remove(store); });
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

ExitCode BaselineCommand::remove(SqlStore& store) const {
  store.remove_baseline(name_);
  return ExitCode::kGood;
}

ExitCode BaselineCommand::run() {
  const SystemClock clock;
  const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
  return action_(*opened);
}

}  // namespace

std::unique_ptr<Command> make_baseline_command() { return std::make_unique<BaselineCommand>(); }

}  // namespace micius
