// `micius report RUN...`.

#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "store/open_store.h"

namespace micius {
namespace {

class ReportCommand final : public Command {
 public:
  std::string name() const override { return "report"; }
  std::string summary() const override {
    return "Report on runs as text, html, md, json, csv, junit or latex";
  }

  void define(Flags& flags) override {
    flags.add("runs", runs_, kRunsHelp).required().type("RUN");
    add_db_flag(flags, places_);
    add_report_flags(flags, flags_);
  }

  ExitCode run() override {
    if (flags_.output == "-") flags_.output.clear();
    flags_.places = place_words(places_);
    if (!flags_.output.empty()) check_report_file(flags_, places_.db);
    const SystemClock clock;
    const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
    const SqlStore& store = *opened;
    write_reports(store, resolve_runs(store, runs_), flags_);
    return ExitCode::kGood;
  }

 private:
  PlaceFlags places_;
  ReportFlags flags_;
  std::vector<std::string> runs_;
};

}  // namespace

std::unique_ptr<Command> make_report_command() { return std::make_unique<ReportCommand>(); }

}  // namespace micius
