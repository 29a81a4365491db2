#include "cli/run_output.h"

#include <filesystem>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/text.h"
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

std::string repeat_line(const CLI::App& command) {
  std::string line = "micius run";
  for (const CLI::Option* option : command.get_options([](const CLI::Option* o) { return o->count() > 0; })) {
    if (option->get_lnames().empty()) {  // TASKS
      line += " " + shell_word(join(option->results(), ","));
      continue;
    }
    const std::string name = option->get_lnames().front();
    if (name == "format" || name == "progress" || name == "report") continue;
    for (const std::string& value : option->results()) {
      line += " --" + name;
      if (option->get_items_expected_max() > 0)
        line += " " + shell_word(name == "db" ? database_label(value) : value);
    }
  }
  return line;
}

}  // namespace micius
