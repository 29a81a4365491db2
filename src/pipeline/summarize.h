// Records in, reports out. Reads only the store; runs no model.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "core/report.h"
#include "core/store.h"
#include "pipeline/expected.h"
#include "pipeline/published.h"

namespace micius {

struct SummarizeOptions {
  bool allow_failed = false;  // metrics over the scored samples although some failed
  bool stable = false;        // without what two executions of one spec do not share
  std::vector<PublishedRow> published;
  Expected expected;
};

// One pass over the run's records; memory grows with samples times metrics, not with their texts.
// Values are averaged over the repeats of a sample first, so that n counts samples; counts are of records.
// A run that is not complete is summed up over what is there. With failed samples (and no allow_failed) every
// estimate is absent and there are no groups. An interval of a fraction is cut at 0 and 1.
// Throws Error{kNotFound, kIo} as the store does.
Report summarize(const Store& store, RunId run, const SummarizeOptions& options);

// The task's first metric, as a report without allow_failed gives it.
std::optional<Estimate> primary_estimate(const Store& store, RunId run);

// The same without reading a store, which takes as long as scoring does: from the values of the scored
// records, in dataset order, then by repeat. Borrows the samples.
struct SampleValues {
  const Sample* sample;
  std::vector<Value> values;
};
std::optional<Estimate> primary_estimate(const RunSpec& spec, std::span<const SampleValues> values);

// What a writer is given for these runs. Borrows the store.
ReportSet summarize_all(const Store& store, const std::vector<RunId>& runs, const SummarizeOptions& options);

}  // namespace micius
