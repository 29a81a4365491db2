// Renders comparisons: computes nothing.
#pragma once

#include <cstddef>
#include <ostream>

#include "core/comparison.h"
#include "core/report_writer.h"

namespace micius {

struct ComparisonStyle {
  ReportStyle report = {};
  std::size_t flips = 10;  // of a comparison that are shown as text
};

// Sentences that a person can repeat, then the tables.
void write_comparison_text(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out);

// micius.compare/1: one comparison alone is the object itself; several are its "comparisons", with "leagues"
// where three sides or more are held against each other.
void write_comparison_json(const ComparisonSet& set, std::ostream& out);

}  // namespace micius
