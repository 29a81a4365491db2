// `micius show RUN [--sample ID | --samples]` and `micius show task NAME [--sample N]`.
#include <algorithm>
#include <iostream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/services.h"
#include "cli/show_text.h"
#include "cli/task_setup.h"
#include "core/names.h"
#include "core/record_json.h"
#include "store/open_store.h"

namespace micius {
namespace {

class ShowCommand final : public Command {
 public:
  std::string name() const override { return "show"; }
  std::string summary() const override {
    return "One run, its records, or a task and the prompt it would send";
  }
  void define(Flags& flags) override;
  ExitCode run() override { return words_.front() == "task" ? show_task() : show_run(); }

 private:
  ExitCode show_task() const;
  ExitCode show_run() const;

  PlaceFlags places_;
  std::vector<std::string> words_;
  std::string sample_, format_ = "text";
  bool samples_ = false, full_ = false;
};

void ShowCommand::define(Flags& flags) {
  flags.add("what", words_, "A run (a number or latest), or: task NAME").required().type("RUN | task NAME");
  add_db_flag(flags, places_);
  add_data_dir_flag(flags, places_);
  const Flag sample =
      flags.add("--sample", sample_, "One sample: its id, or for a task its row number").type("ID");
  flags.add("--samples", samples_, "All records of the run").excludes(sample);
  flags.add("--full", full_, "Prompts and observations whole, however long");
  flags.add("--format", format_, "text, or jsonl: every record on a line")
      .one_of({"text", "jsonl"})
      .show_default();
}

ExitCode ShowCommand::show_task() const {
  if (words_.size() != 2) fail(ErrorCode::kUsage, "micius show task takes one name or file");
  TaskOptions options;
  options.roots = data_roots(places_);
  if (sample_.empty()) {
    const Task task = make_task(words_[1], options);
    std::cout << task_text(task);
    return ExitCode::kGood;
  }
  ConsoleLog log(ConsoleLog::Level::kWarnings);
  LazyServices services(0, places_);
  const TaskSetup setup = set_up_task(words_[1], options, GenerateOptions{}.seed, {services, log});
  std::size_t row = 0;
  if (!read_number(sample_, row) || row >= setup.dataset->size()) {
    fail(ErrorCode::kUsage, "--sample '{}': {} has rows 0 to {}", sample_, setup.dataset->name(),
         setup.dataset->size() - 1);
  }
  std::cout << task_text(setup.task) << "\n" << prompt_text(setup, row);
  return ExitCode::kGood;
}

ExitCode ShowCommand::show_run() const {
  const SystemClock clock;
  const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
  const SqlStore& store = *opened;
  const std::vector<RunId> runs = resolve_runs(store, words_);
  for (const RunId id : runs) {
    const Run run = store.run(id);
    if (!samples_ && sample_.empty() && format_ == "text") {
      ReportFlags report;
      report.places = place_words(places_);
      std::cout << run_text(run);
      write_reports(store, {id}, report);
      continue;
    }
    if (format_ == "text" && runs.size() > 1) std::cout << run_heading(run);
    bool found = false;
    store.for_each(id, [&](const Record& record) {
      if (!sample_.empty() && record.sample.id != sample_) return;
      found = true;
      std::cout << (format_ == "jsonl" ? dump_json(record_json(id, record)) + "\n"
                                       : record_text(record, full_ ? Length::kWhole : Length::kCut));
    });
    if (found || sample_.empty()) continue;
    const std::vector<std::string>& ids = run.spec.sample_ids;
    const auto number = static_cast<std::int64_t>(id);
    if (std::find(ids.begin(), ids.end(), sample_) != ids.end()) {
      fail(ErrorCode::kUsage, "run {} has no record of sample '{}' yet; `micius resume {}{}` goes on", number,
           sample_, number, place_words(places_));
    }
    fail(ErrorCode::kUsage, "run {} has no record of sample '{}'{}; `micius show {} --samples{}` has all",
         number, sample_, did_you_mean(sample_, ids), number, database_words(places_));
  }
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_show_command() { return std::make_unique<ShowCommand>(); }

}  // namespace micius
