// Small fixed reports that golden files are made of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/report.h"

namespace micius {

// Two tasks on two models: one run with groups and clusters, one that failed in part, likelihoods, several
// turns, and texts that try to break out of their format.
ReportSet example_reports();

// The same without what two executions do not share.
ReportSet stable_example();

Record generated_record(const std::string& id, Verdict verdict, const std::string& text);
Record weighed_record(const std::string& id, Verdict verdict, std::vector<double> logprobs);

}  // namespace micius
