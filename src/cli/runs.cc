#include "cli/runs.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "cli/checks.h"
#include "cli/flags.h"
#include "cli/terminal.h"
#include "pipeline/best.h"
#include "pipeline/compare.h"
#include "pipeline/expected.h"
#include "pipeline/published.h"
#include "pipeline/suite_score.h"
#include "reports/registry.h"
#include "store/open_store.h"
#include "tasks/suites.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// The one suite whose tasks are weighed as equals.
constexpr const char* kScoredSuite = "aimicius";

std::vector<std::string> tasks_of(const std::string& suite_name) {
  std::vector<std::string> tasks;
  for (const Suite& suite : suites()) {
    if (suite.name != suite_name) continue;
    for (const SuiteMember& member : suite.members) tasks.push_back(member.task);
  }
  return tasks;
}

std::vector<RunId> latest_runs(const std::vector<Run>& runs) {
  std::vector<RunId> latest;
  std::int64_t batch = 0;
  for (const Run& run : runs) batch = std::max(batch, run.batch);
  for (const Run& run : runs) {
    if (run.batch == batch) latest.push_back(run.id);
  }
  return latest;
}

RunId run_from(const std::string& word) {
  std::int64_t number = 0;
  if (!read_number(word, number)) {
    fail(ErrorCode::kUsage, "'{}' is no run: give a number of `micius list runs`, or 'latest'", word);
  }
  return RunId{number};
}

}  // namespace

std::string format_of(const std::string& format, const std::string& output) {
  if (!format.empty()) return format;
  std::string ending = lower_ascii(fs::path(output).extension().string());
  if (ending.empty()) return "text";
  ending.erase(0, 1);
  const std::map<std::string, std::string> formats = {
      {"htm", "html"}, {"markdown", "md"}, {"txt", "text"}, {"xml", "junit"}, {"tex", "latex"}};
  const auto it = formats.find(ending);
  return it == formats.end() ? ending : it->second;
}

std::vector<RunId> resolve_runs(const Store& store, const std::vector<std::string>& words) {
  std::vector<RunId> runs;
  const std::vector<Run> all = store.runs();
  if (all.empty()) fail(ErrorCode::kNotFound, "the database has no runs; `micius run quick` makes the first");
  for (const std::string& list : words) {
    for (const std::string_view word : split(list, ',')) {
      if (word == "latest") {
        const std::vector<RunId> latest = latest_runs(all);
        runs.insert(runs.end(), latest.begin(), latest.end());
      } else {
        runs.push_back(store.run(run_from(std::string(word))).id);
      }
    }
  }
  return runs;
}

std::int64_t next_batch(const Store& store) {
  std::int64_t batch = 0;
  for (const Run& run : store.runs()) batch = std::max(batch, run.batch);
  return batch + 1;
}

void check_report_file(const ReportFlags& flags, const std::string& database) {
  report_registry().get(format_of(flags.format, flags.output), flags.output);
  check_output_file(flags.output, database);
}

void check_output_file(const std::string& path, const std::string& database) {
  if (path.empty() || path == "-") return;
  std::error_code none;
  if (fs::is_directory(path, none)) fail(ErrorCode::kUsage, "{}: is a folder; name a file in it", path);
  if (is_database_file(database, path)) {
    fail(ErrorCode::kUsage, "{}: is the database; name another file", path);
  }
  const fs::path folder = fs::absolute(path).parent_path();
  if (!fs::is_directory(folder))
    fail(ErrorCode::kNotFound, "{}: the folder {} is not there", path, folder.string());
}

void add_report_flags(Flags& flags, ReportFlags& values) {
  flags
      .add("--format", values.format,
           "text, md, html, json, csv, junit or latex (default: by the ending of -o, else text)")
      .type("FORMAT");
  flags.add("-o,--output", values.output, "File to write (default, and -: stdout)").type("FILE");
  flags.add("--groups", values.groups, "With the breakdowns of every run");
  flags.add("--samples", values.samples, "junit: a case a sample as well");
  flags
      .add("--published", values.published,
           "The paper's numbers beside ours: on or off (default: on but for text)")
      .one_of({"auto", "on", "off"});
  flags.add("--allow-failed", values.allow_failed, "Metrics over the scored samples although some failed");
  flags.add("--stable", values.stable,
            "Without what two executions of one run do not share: ids, times, machine, prices");
}

std::map<std::string, Json> page_rules(const std::vector<Report>& reports) {
  const fs::path file = share_root() / "datasets/aimicius/cmdgen/normal.json";
  const bool asked = std::any_of(reports.begin(), reports.end(),
                                 [](const Report& report) { return report.spec.scorer == "cmdgen"; });
  if (!asked || !fs::exists(file)) return {};
  const Json rules = parse_json(read_file(file), file.string());
  std::map<std::string, Json> of_scorers;
  of_scorers["cmdgen"] = {{"masks", rules.at("masks")}, {"readings", rules.at("readings")}};
  return of_scorers;
}

void write_reports(const Store& store, const std::vector<RunId>& runs, const ReportFlags& flags) {
  const std::string format = format_of(flags.format, flags.output);
  ReportStyle style;
  style.groups = flags.groups;
  style.samples = flags.samples;
  if (flags.output.empty()) {
    style.width = terminal_width(stdout);
    style.colour = allows_colour(stdout);
    style.places = flags.places;
  }
  const auto writer = report_registry().get(format)(style);

  SummarizeOptions options;
  options.allow_failed = flags.allow_failed;
  options.stable = flags.stable;
  if (flags.published == "on" || (flags.published == "auto" && format != "text")) {
    options.published = read_published(share_root() / "datasets/aimicius/published.json");
  }
  options.expected = read_expected(share_root() / "datasets/aimicius/expected.json");
  ReportSet set = summarize_all(store, runs, options);
  set.aggregates = suite_scores(set.reports, kScoredSuite, tasks_of(kScoredSuite));
  for (const Suite& suite : suites()) {
    if (!suite.is_group) continue;
    for (Aggregate& score : group_scores(set.reports, suite.name, tasks_of(suite.name)))
      set.aggregates.push_back(std::move(score));
  }
  if (format == "html" || format == "md") {
    CompareOptions compared;
    compared.incomparable = Incomparable::kNote;
    compared.groups = format == "html" || flags.groups;
    set.comparisons = compare(store, runs, compared);
  }
  if (format == "html") set.scorer_rules = page_rules(set.reports);
  if (format == "latex") set.comparisons = against_best(store, runs, set.reports);
  std::ostringstream out;
  writer->write(set, out);
  if (flags.output.empty()) {
    std::cout << out.str() << std::flush;
  } else {
    write_file_atomic(flags.output, out.str());
  }
}

}  // namespace micius
