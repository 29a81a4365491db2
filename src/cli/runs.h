// What a user may write for RUN, and the reports of such runs.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cli/places.h"
#include "core/store.h"
#include "pipeline/summarize.h"

namespace micius {

class Flags;

// What stands for RUN in --help.
inline constexpr const char* kRunsHelp = "Runs: numbers of `micius list runs`, or latest; 1,2 or 1 2";

// Each word is a list with commas, of numbers as `list runs` prints them and `latest`: the runs of the last
// `micius run`, or all imported ones where there was none. Throws Error{kUsage} for anything else and
// Error{kNotFound} where there is no such run.
std::vector<RunId> resolve_runs(const Store& store, const std::vector<std::string>& words);

// One past the highest batch of the store: the number of the next `micius run`.
std::int64_t next_batch(const Store& store);

// The flags that say what of a report is shown and how.
struct ReportFlags {
  std::string format, output, published = "auto";
  bool groups = false, samples = false, allow_failed = false, stable = false;
  std::string places;  // place_words(), for the commands that the text names
};
void add_report_flags(Flags& flags, ReportFlags& values);

// The format that is asked for, else what the file's ending says, else text; of no known one is what the
// ending is.
std::string format_of(const std::string& format, const std::string& output);

// Throws Error for a file that is the database or cannot be written, or of no known format: before the work,
// not after it.
void check_report_file(const ReportFlags& flags, const std::string& database);
// The same of a file whose format is known to be one. Nothing is said of "" and "-", which are stdout.
void check_output_file(const std::string& path, const std::string& database);

// ReportSet::scorer_rules for a page of these runs: the masks under which CMDGen compares effects.
std::map<std::string, Json> page_rules(const std::vector<Report>& reports);

// Renders the reports of `runs` into the file that the flags name, else to stdout. The format is --format,
// else what the file's ending says, else text.
void write_reports(const Store& store, const std::vector<RunId>& runs, const ReportFlags& flags);

}  // namespace micius
