#include "cli/run_output.h"

#include <filesystem>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/flags.h"
#include "cli/runs.h"
#include "cli/terminal.h"
#include "reports/command.h"
#include "store/open_store.h"

namespace micius {

void print_run_results(const Store& store, const std::vector<RunId>& runs, const RunOutput& output,
                       const PlaceFlags& places) {
  const bool shown = !output.quiet || output.format != "text";
  if (shown) {  // first: the report's file may fail
    ReportFlags flags;
    flags.format = output.format;
    flags.places = place_words(places);
    write_reports(store, runs, flags);
  }
  if (!output.report.empty()) {
    ReportFlags flags;
    flags.output = output.report;
    write_reports(store, runs, flags);
  }
  if (!shown || output.format != "text") return;
  const std::string report =
      output.report.empty()
          ? fmt::format("`micius report latest{} -o report.html` writes one", database_words(places))
          : std::filesystem::path(output.report).string();
  const std::vector<std::string> parts = {"report: " + report, "database: " + database_label(places.db),
                                          "again: " + output.again};
  const std::string line = join(parts, "     ");
  fmt::print("\n{}\n", line.size() <= terminal_width(stdout) ? line : join(parts, "\n"));
}

std::string repeat_line(const Flags& command) {
  std::string line = "micius run";
  for (const ParsedFlag& flag : command.parsed()) {
    if (flag.values.empty()) continue;
    if (flag.is_positional) {  // TASKS
      line += " " + shell_word(join(flag.values, ","));
      continue;
    }
    if (flag.name == "format" || flag.name == "progress" || flag.name == "report") continue;
    for (const std::string& value : flag.values) {
      line += " --" + flag.name;
      if (flag.takes_value) line += " " + shell_word(flag.name == "db" ? database_label(value) : value);
    }
  }
  return line;
}

}  // namespace micius
