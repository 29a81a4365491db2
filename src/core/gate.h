// A gate: a run against a baseline, by a policy. Built by the pipeline, rendered (never computed) by reports.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/run.h"

namespace micius {

// kWarn: failed or undecided, but the policy only wants to be told.
enum class GateVerdict { kPass, kWarn, kInconclusive, kFail };

struct GateCheck {
  std::string task;    // "" for what is about all runs
  std::string metric;  // "accuracy", "samples_per_s", "no_answer"
  std::string rule;    // "max_drop 2.0 points"
  std::string unit;    // of the three figures below
  std::optional<double> baseline, current;
  std::optional<double> difference;  // current - baseline
  std::optional<double> p;           // adjusted
  GateVerdict verdict = GateVerdict::kPass;
  std::string reason;  // one sentence
  // What to look at: the first samples that got worse or were to pass, and how many there are.
  std::vector<std::string> samples;
  std::size_t worse = 0;
  std::optional<RunId> baseline_run, current_run;
};

struct GateResult {
  GateVerdict verdict = GateVerdict::kPass;  // the worst of the checks; never kWarn
  std::vector<GateCheck> checks;
};

}  // namespace micius
