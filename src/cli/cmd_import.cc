// `micius import FILE...` and `micius import --from DB [RUN...]`.
#include <filesystem>
#include <iostream>
#include <memory>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/console.h"
#include "cli/flags.h"
#include "cli/imports.h"
#include "cli/runs.h"
#include "store/open_store.h"

namespace micius {
namespace {

class ImportCommand final : public Command {
 public:
  std::string name() const override { return "import"; }
  std::string summary() const override { return "Runs from files of `export`, or from another database"; }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  std::vector<RunId> wanted_of(const Store& from) const;
  void print(const Store& store, const std::vector<ImportedRun>& runs) const;

  PlaceFlags places_;
  std::vector<std::string> words_;
  std::string from_, format_ = "text";
};

void ImportCommand::define(Flags& flags) {
  flags
      .add("what", words_,
           "Files of `micius export --format micius`; with --from: runs of that database (default: all)")
      .type("FILE | RUN");
  flags.add("--from", from_, "Database to take runs from").type("DB");
  flags.add("--format", format_, "text or json").one_of({"text", "json"}).show_default();
  add_db_flag(flags, places_);
}

// What is to be read is opened and looked up first, before a database is made for nothing.
std::vector<RunId> ImportCommand::wanted_of(const Store& from) const {
  if (!words_.empty()) return resolve_runs(from, words_);
  std::vector<RunId> runs;
  for (const Run& run : from.runs()) runs.push_back(run.id);
  return runs;
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
  for (const std::string& path : words_)
    if (from_.empty() && !std::filesystem::exists(path))
      fail(ErrorCode::kNotFound, "{}: no such file; `micius export RUN -o FILE` makes one", path);
  const SystemClock clock;
  ConsoleLog log(ConsoleLog::Level::kWarnings);
  const std::unique_ptr<SqlStore> from =
      from_.empty() ? nullptr : open_store(from_, OpenMode::kExisting, clock, &log);
  const std::vector<RunId> wanted = from ? wanted_of(*from) : std::vector<RunId>();
  const auto opened = open_store(places_.db, OpenMode::kCreate, clock, &log);
  SqlStore& store = *opened;
  print(store, from ? import_runs(store, *from, wanted) : import_files(store, words_));
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_import_command() { return std::make_unique<ImportCommand>(); }

}  // namespace micius
