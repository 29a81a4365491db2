// `micius import FILE...` and `micius import --from DB [RUN...]`.
#include <filesystem>
#include <iostream>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/imports.h"
#include "cli/runs.h"
#include "store/open_store.h"

namespace micius {
namespace {

class ImportCommand final : public Command {
 public:
  std::string name() const override { return "import"; }
  std::string summary() const override { return "Runs from files of `export`, or from another database"; }
  void define(CLI::App& app) override;
  ExitCode run() override;

 private:
  std::vector<ImportedRun> imported(SqlStore& store, const Clock& clock) const;
  void print(const Store& store, const std::vector<ImportedRun>& runs) const;

  PlaceFlags places_;
  std::vector<std::string> words_;
  std::string from_, format_ = "text";
};

void ImportCommand::define(CLI::App& app) {
  app.add_option(
         "what", words_,
         "Files of `micius export --format micius`; with --from: runs of that database (default: all)")
      ->type_name("FILE | RUN");
  app.add_option("--from", from_, "Database to take runs from")->type_name("DB");
  app.add_option("--format", format_, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  add_db_flag(app, places_);
}

std::vector<ImportedRun> ImportCommand::imported(SqlStore& store, const Clock& clock) const {
  if (from_.empty()) return import_files(store, words_);
  const auto opened = open_store(from_, OpenMode::kExisting, clock);
  const SqlStore& from = *opened;
  std::vector<RunId> runs;
  if (words_.empty())
    for (const Run& run : from.runs()) runs.push_back(run.id);
  return import_runs(store, from, words_.empty() ? runs : resolve_runs(from, words_));
}

void ImportCommand::print(const Store& store, const std::vector<ImportedRun>& runs) const {
  Json rows = Json::array();
  for (const ImportedRun& imported : runs) {
    const Run run = store.run(imported.id);
    const auto id = static_cast<std::int64_t>(imported.id);
    if (format_ == "json") {
      rows.push_back({{"run_id", id},
                      {"new", imported.is_new},
                      {"task", run.spec.task},
                      {"model", run.spec.model.name}});
    } else {
      std::cout << fmt::format("run {}: {} on {}, {}{}\n", id, visible_line(run.spec.model.name),
                               visible_line(run.spec.task), visible_line(run.started),
                               imported.is_new ? "" : " (was here already)");
    }
  }
  if (format_ == "json") std::cout << Json{{"schema", "micius.import/1"}, {"runs", rows}}.dump(2) << "\n";
}

ExitCode ImportCommand::run() {
  if (from_.empty() && words_.empty())
    fail(ErrorCode::kUsage, "name the files to import, or a database with --from");
  if (!from_.empty() && (from_ == places_.db || is_database_file(places_.db, from_)))
    fail(ErrorCode::kUsage, "--from {}: is the database itself; --db names the one to import into",
         database_label(from_));
  for (const std::string& path : words_)  // before a database is made for nothing
    if (from_.empty() && !std::filesystem::exists(path))
      fail(ErrorCode::kNotFound, "{}: no such file; `micius export RUN -o FILE` makes one", path);
  const SystemClock clock;
  ConsoleLog log(ConsoleLog::Level::kWarnings);
  const auto opened = open_store(places_.db, OpenMode::kCreate, clock, &log);
  SqlStore& store = *opened;
  print(store, imported(store, clock));
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_import_command() { return std::make_unique<ImportCommand>(); }

}  // namespace micius
