// Records for other tools. Renders: computes nothing.
#pragma once

#include "base/files.h"
#include "core/report.h"

namespace micius {

// A line a record: that of `show --samples --format jsonl` with task, model, input, choices and targets
// behind, and cost_usd where a price is known.
void write_records_jsonl(const ReportSet& set, const ByteSink& sink);

// RFC 4180, a row a record, a column a value that any of the runs has; texts are those of the last turn. What
// is absent is an empty field.
void write_records_csv(const ReportSet& set, const ByteSink& sink);

}  // namespace micius
