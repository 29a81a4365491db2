// Renders comparisons: computes nothing. Same comparisons, same bytes.
#pragma once

#include <cstddef>
#include <functional>
#include <ostream>

#include "core/registry.h"
#include "core/report.h"
#include "core/report_writer.h"

namespace micius {

struct ComparisonStyle {
  ReportStyle report = {};
  std::size_t flips = 10;  // of a comparison (md: of all) that are shown as text
  // md: where it stands. A report compares what it can and was not forced to.
  enum class Within { kPage, kReport } within = Within::kPage;
};

// Sentences that a person can repeat, then the tables.
void write_comparison_text(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out);

// For a pull request: the verdict first, the tasks with a difference before the others, flips and rankings
// folded.
void write_comparison_markdown(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out);

// micius.compare/1: one comparison alone is the object itself; several are its "comparisons", with "leagues"
// where three sides or more are held against each other.
void write_comparison_json(const ComparisonSet& set, std::ostream& out);

// The HTML report's page with its head-to-head section first and without what is about one run alone. The
// comparisons are those of `set`, between its reports.
void write_comparison_html(const ReportSet& set, std::ostream& out);

// kReports: the writer reads the reports of the runs as well as their comparisons.
enum class ComparisonInput { kComparisons, kReports };

struct ComparisonFormat {
  ComparisonInput input = ComparisonInput::kComparisons;
  std::function<void(const ReportSet&, const ComparisonStyle&, std::ostream&)> write;
};

// Every format of a comparison, by name.
Registry<ComparisonFormat> comparison_registry();

}  // namespace micius
