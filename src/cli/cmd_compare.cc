// `micius compare RUN_A RUN_B...`.
#include <iostream>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/commands.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/terminal.h"
#include "pipeline/compare.h"
#include "pipeline/summarize.h"
#include "reports/comparison.h"
#include "store/open_store.h"

namespace micius {
namespace {

ComparisonFormat comparison_format(const std::string& name) {
  const Registry<ComparisonFormat> registry = comparison_registry();
  const auto* entry = registry.find(name);
  if (entry == nullptr)
    fail(ErrorCode::kUsage, "no comparison can be written as '{}'; --format takes {}", name,
         join(registry.names(), ", "));
  return entry->factory;
}

class CompareCommand final : public Command {
 public:
  std::string name() const override { return "compare"; }
  std::string summary() const override {
    return "Runs of the same tasks held against each other, sample by sample";
  }
  void define(Flags& flags) override;
  ExitCode run() override;

 private:
  PlaceFlags places_;
  std::vector<std::string> runs_;
  CompareOptions options_;
  std::string format_, output_;
  std::size_t flips_ = ComparisonStyle{}.flips;
  bool force_ = false;
};

void CompareCommand::define(Flags& flags) {
  flags.add("runs", runs_, "Two runs or more: numbers of `micius list runs`, or latest; the first is A")
      .required()
      .type("RUN_A RUN_B");
  add_db_flag(flags, places_);
  flags.add("--format", format_, "text, md, html or json (default: by the ending of -o, else text)")
      .type("FORMAT");
  flags.add("-o,--output", output_, "File to write (default, and -: stdout)").type("FILE");
  flags.add("--metric", options_.metric, "Metric to compare by (default: each task's primary one)")
      .type("NAME");
  flags.add("--groups", options_.groups, "The difference in every group as well (html: always)");
  flags.add("--flips", flips_, "Samples that differ, shown in text and md")
      .at_least(0)
      .type("N")
      .show_default();
  flags
      .add("--bootstrap", options_.bootstrap, "Draws of a BCa bootstrap interval of the difference (0: none)")
      .at_least(0)
      .type("N")
      .show_default();
  flags.add("--force", force_, "Compare although task version, shots or samples differ; the page says so");
}

ExitCode CompareCommand::run() {
  if (output_ == "-") output_.clear();
  const bool to_stdout = output_.empty();
  const ComparisonFormat format = comparison_format(format_of(format_, output_));
  check_output_file(output_, places_.db);
  const SystemClock clock;
  const auto opened = open_store(places_.db, OpenMode::kExisting, clock);
  const SqlStore& store = *opened;
  const std::vector<RunId> runs = resolve_runs(store, runs_);
  options_.incomparable = force_ ? Incomparable::kForce : Incomparable::kRefuse;
  ReportSet set;
  if (format.input == ComparisonInput::kReports) {
    set = summarize_all(store, runs, {});
    set.scorer_rules = page_rules(set.reports);
    options_.groups = true;  // the page has room for them
  }
  set.comparisons = compare(store, runs, options_);
  ComparisonStyle style;
  style.flips = flips_;
  if (to_stdout) {
    style.report.width = terminal_width(stdout);
    style.report.places = database_words(places_);
  }
  std::ostringstream out;
  format.write(set, style, out);
  if (to_stdout) {
    std::cout << out.str() << std::flush;
  } else {
    write_file_atomic(output_, out.str());
  }
  return ExitCode::kGood;
}

}  // namespace

std::unique_ptr<Command> make_compare_command() { return std::make_unique<CompareCommand>(); }

}  // namespace micius
