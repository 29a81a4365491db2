// `micius gate RUN... --baseline NAME|FILE --policy FILE`.
#include <algorithm>
#include <iostream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/imports.h"
#include "cli/runs.h"
#include "cli/terminal.h"
#include "pipeline/gate.h"
#include "reports/gate.h"
#include "store/open_store.h"

namespace micius {
namespace {

constexpr std::size_t kFileWidth = 120;

void check_format(const std::string& name) {
  const std::vector<std::string> names = {"text", "json", "md", "junit", "github"};
  if (std::find(names.begin(), names.end(), name) == names.end())
    fail(ErrorCode::kUsage, "no gate can be written as '{}'{}; --format takes {}", name,
         did_you_mean(name, names), join(names, ", "));
}

class GateCommand final : public Command {
 public:
  std::string name() const override { return "gate"; }
  std::string summary() const override {
    return "Are runs still as good as a baseline? For CI: exit 0, 1 or 3";
  }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  std::string rendered(const GateResult& result, const std::string& format) const;

  PlaceFlags places_;
  std::vector<std::string> runs_;
  std::string baseline_, policy_, format_, output_, junit_;
};

void GateCommand::define(Flags& flags) {
  flags.add("runs", runs_, kRunsHelp).required().type("RUN");
  flags.add("--baseline", baseline_, "A baseline of `micius baseline set`, or an export, which is imported")
      .required()
      .type("NAME|FILE");
  flags.add("--policy", policy_, "What may fall by how much (docs/gate.md)").required().type("FILE");
  add_db_flag(flags, places_);
  flags
      .add("--format", format_,
           "text, json, md, junit, or github (annotations) (default: by the ending of -o, else text)")
      .type("FORMAT");
  flags.add("-o,--output", output_, "File to write (default, and -: stdout)").type("FILE");
  flags.add("--junit", junit_, "JUnit XML as well, into this file").type("FILE");
}

std::string GateCommand::rendered(const GateResult& result, const std::string& format) const {
  const std::string places = database_words(places_);
  std::ostringstream out;
  if (format == "json") {
    write_gate_json(result, out);
  } else if (format == "md") {
    write_gate_markdown(result, places, out);
  } else if (format == "junit") {
    write_gate_junit(result, places, out);
  } else if (format == "github") {
    write_gate_github(result, places, out);
  } else {
    write_gate_text(result, places, output_.empty() ? terminal_width(stdout) : kFileWidth, out);
  }
  return out.str();
}

ExitCode GateCommand::run() {
  if (output_ == "-") output_.clear();
  check_output_file(output_, places_.db);
  check_output_file(junit_, places_.db);
  const std::string format = format_of(format_, output_);
  check_format(format);
  const Policy policy = read_policy(read_file(policy_), policy_);
  const SystemClock clock;
  const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
  SqlStore& store = *opened;
  const std::vector<RunId> current = resolve_runs(store, runs_);
  const GateResult result = gate(store, baseline_runs(store, baseline_), current, policy);
  const std::string text = rendered(result, format);
  if (!junit_.empty()) write_file_atomic(junit_, rendered(result, "junit"));
  if (output_.empty()) {
    std::cout << text << std::flush;
  } else {
    write_file_atomic(output_, text);
    std::cerr << gate_line(result) << "; " << output_ << " has the checks\n";
  }
  if (result.verdict == GateVerdict::kFail) return ExitCode::kFailed;
  return result.verdict == GateVerdict::kInconclusive ? ExitCode::kUndecided : ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_gate_command() { return std::make_unique<GateCommand>(); }

}  // namespace micius
