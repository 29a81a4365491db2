// `micius rescore RUN...`: scores stored completions again, as new runs.

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/services.h"
#include "cli/task_setup.h"
#include "pipeline/rescore.h"
#include "store/open_store.h"

namespace micius {
namespace {

class RescoreCommand final : public Command {
 public:
  std::string name() const override { return "rescore"; }
  std::string summary() const override { return "Score stored completions again, as new runs"; }

  void define(Flags& flags) override {
    flags.add("runs", runs_, kRunsHelp).required().type("RUN");
    flags.add("--observe", observe_, "Run again what models wrote (commands, programs), too");
    add_db_flag(flags, places_);
    add_data_dir_flag(flags, places_);
    add_model_dir_flag(flags, places_);
  }

  ExitCode run() override {
    const SystemClock clock;
    const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
    SqlStore& store = *opened;
    LazyServices services(0, places_);
    const std::int64_t batch = next_batch(store);
    const Observations observations = observe_ ? Observations::kAgain : Observations::kStored;
    std::vector<RunId> made;
    for (const RunId id : resolve_runs(store, runs_)) {
      const RunSpec spec = store.run(id).spec;
      const Task task = make_task(spec.task_source, task_options_of(spec, data_roots(places_)));
      const auto scorer = make_scorer(task, data_roots(places_), &services);
      made.push_back(rescore({task, *scorer, store, clock, batch, observations}, id));
    }
    ReportFlags report;
    report.places = place_words(places_);
    write_reports(store, made, report);
    return ExitCode::kGood;
  }

 private:
  PlaceFlags places_;
  std::vector<std::string> runs_;
  bool observe_ = false;
};

}  // namespace

std::unique_ptr<Command> make_rescore_command() { return std::make_unique<RescoreCommand>(); }

}  // namespace micius
