// What a run would ask and cost, before anything is sent.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/task.h"
#include "pipeline/plan.h"
#include "runners/api_runner.h"

namespace micius {

struct CostRange {
  double low = 0, high = 0;  // dollars: nothing written, all written that may be
};

struct DryRun {
  std::string task, model;
  std::size_t samples = 0;  // with repeats
  // Of the first turn of each: the bytes of what is sent by four. A chat template adds some.
  std::int64_t prompt_tokens = 0;
  std::int64_t completion_tokens = 0;  // at most
  // Absent where there is no price: of a model of this machine, and of one that is not in the list.
  std::optional<CostRange> cost;
};

// The same of one sample and one repeat.
struct SampleTokens {
  std::int64_t prompt = 0, completion = 0;
};
SampleTokens tokens_of_sample(const Task& task, const Plan& plan, std::size_t index);

// By the settings' prices, of batches where they say so.
DryRun dry_run(const Task& task, const Plan& plan, const ApiSettings& settings);

// `format`: "text" or "json". Ends with the sum.
void print_dry_runs(const std::vector<DryRun>& runs, const std::string& format);

}  // namespace micius
