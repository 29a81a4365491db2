// `micius export RUN... --format micius|jsonl|csv|lm-eval`.
#include <filesystem>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/terminal.h"
#include "pipeline/summarize.h"
#include "reports/lm_eval.h"
#include "reports/records.h"
#include "store/open_store.h"
#include "store/run_file.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

class ExportCommand final : public Command {
 public:
  std::string name() const override { return "export"; }
  std::string summary() const override {
    return "Runs in a file: whole (micius), or their records for other tools";
  }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  std::string chosen_format() const;
  void check_output(const std::string& format) const;
  void write_one(const std::function<void(const ByteSink&)>& fill) const;
  void write_folder(const ReportSet& set) const;

  PlaceFlags places_;
  std::vector<std::string> runs_;
  std::string format_, output_;
};

void ExportCommand::define(Flags& flags) {
  flags.add("runs", runs_, kRunsHelp).required().type("RUN");
  add_db_flag(flags, places_);
  flags
      .add("--format", format_,
           "micius: whole runs for `micius import` and `micius gate --baseline`; jsonl, csv: records; "
           "lm-eval: a folder of its result files (default: by the ending of -o, else micius)")
      .one_of({"micius", "jsonl", "csv", "lm-eval"});
  flags.add("-o,--output", output_, "File to write (default, and -: stdout); lm-eval: the folder")
      .type("FILE");
}

std::string ExportCommand::chosen_format() const {
  if (!format_.empty()) return format_;
  const std::string ending = lower_ascii(fs::path(output_).extension().string());
  return ending == ".jsonl" ? "jsonl" : ending == ".csv" ? "csv" : "micius";
}

void ExportCommand::check_output(const std::string& format) const {
  const bool to_stdout = output_.empty() || output_ == "-";
  if (format == "lm-eval" && to_stdout)
    fail(ErrorCode::kUsage, "--format lm-eval writes several files; name their folder with -o");
  if (format == "micius" && to_stdout && is_terminal(stdout))
    fail(ErrorCode::kUsage, "an export is no text to read; name a file with -o, or --format jsonl");
  if (format != "lm-eval") return check_output_file(output_, places_.db);
  std::error_code none;
  if (fs::exists(output_, none) && !fs::is_directory(output_, none))
    fail(ErrorCode::kUsage, "{}: is a file; --format lm-eval writes a folder", output_);
}

void ExportCommand::write_one(const std::function<void(const ByteSink&)>& fill) const {
  if (!output_.empty() && output_ != "-") return write_file_atomic(output_, fill);
  fill([](std::string_view bytes) { std::cout << bytes; });
  std::cout << std::flush;
}

void ExportCommand::write_folder(const ReportSet& set) const {
  write_lm_eval(set, [&](const fs::path& path, const std::function<void(const ByteSink&)>& fill) {
    fs::create_directories((output_ / path).parent_path());
    write_file_atomic(output_ / path, fill);
  });
}

ExitCode ExportCommand::run() {
  const std::string format = chosen_format();
  check_output(format);
  const SystemClock clock;
  const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
  const SqlStore& store = *opened;
  const std::vector<RunId> runs = resolve_runs(store, runs_);
  if (format == "micius") {
    write_one([&](const ByteSink& sink) { write_run_file(store, runs, sink); });
    return ExitCode::kGood;
  }
  SummarizeOptions options;
  options.allow_failed = true;
  const ReportSet set = summarize_all(store, runs, options);
  if (format == "lm-eval") {
    write_folder(set);
  } else if (format == "csv") {
    write_one([&](const ByteSink& sink) { write_records_csv(set, sink); });
  } else {
    write_one([&](const ByteSink& sink) { write_records_jsonl(set, sink); });
  }
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_export_command() { return std::make_unique<ExportCommand>(); }

}  // namespace micius
