// What is asked and how it is judged.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/generate_options.h"
#include "core/prompt.h"
#include "core/sample.h"
#include "core/spec.h"
#include "core/turn.h"

namespace micius {

enum class Direction { kHigherIsBetter, kLowerIsBetter };

// How the values of the samples become the metric. kMean: their mean. kExpNegMean: exp(-mean), a perplexity.
// The next two are over the clusters (Task::cluster) that have two samples or more: kWorst, the mean of their
// lowest values; kFlips, the share of those whose values are not all the same. kPassAtK: of values that are 0
// or 1, the mean chance that one of `k` repeats drawn from a sample's is 1; it is over the samples that have
// k repeats, and not there in a run of fewer.
enum class Reduction { kMean, kExpNegMean, kWorst, kFlips, kPassAtK };

struct MetricInfo {
  std::string name;
  std::string unit = "fraction";
  Direction direction = Direction::kHigherIsBetter;
  Reduction reduction = Reduction::kMean;
  std::string of = {};  // the value of a score that it is made of; `name` where empty
  int k = 1;            // of kPassAtK
};

enum class ShotRule {
  kFirst,         // the first n rows of the pool
  kFirstExcept,   // the first n rows that are not the sample itself
  kFirstOfGroup,  // the first n rows with the sample's extra.group
  kDraw,          // lm-eval's draw: one generator a task, moved on sample by sample
  kDrawExcept,    // the same with n + 1 drawn and the sample itself left out
};

// A dataset that is read where the one before it is not there.
struct StandIn {
  Spec dataset;
  std::string warning = {};  // in what its scores differ; "" if they do not: the same rows in another form
};

// Where few-shot examples come from: the first dataset of `pools` whose file is there.
struct ShotSource {
  std::vector<StandIn> pools;
  ShotRule rule = ShotRule::kFirst;
};

// Made by one function or read from a file; copied freely.
struct Task {
  std::string name;   // "gsm8k"
  int version = 1;    // raised when data, prompt or scoring changes
  std::string suite;  // "general", "aimicius" or "user"
  std::string summary;
  Spec dataset, scorer;
  std::vector<StandIn> stand_ins;  // for the dataset, in order of preference
  int shots = 0;
  ShotSource shot_source;
  PromptStyle style = PromptStyle::kText;
  GenerateOptions options;
  // Token limit of each turn; turns past the end, or all where empty, have options.max_tokens. A limit that
  // the user sets goes over both.
  std::vector<int> turn_max_tokens;
  std::vector<MetricInfo> metrics;      // the primary one first
  std::vector<std::string> breakdowns;  // fields of Sample::extra that reports group by
  std::string cluster;  // field of Sample::extra within which samples are not independent, or ""
  Json params =
      Json::object();  // what else may change an answer (prompt mode, system text); part of the spec

  // What the task makes of a source row (choices, targets, "gold"); applied to evaluated samples and to
  // shots. Throws Error{kInvalidData} for a row it cannot use, naming the field. Identity where empty.
  std::function<Sample(Sample)> prepare;
  // What to ask next, given what was said so far. One-turn tasks return a prompt for no turns and nothing
  // after. Pure.
  std::function<std::optional<Prompt>(const Sample&, std::span<const Sample> shots, std::span<const Turn>)>
      next;
  // The right answer to a turn, for the `reference` and `random` models; targets.front() where empty.
  std::function<std::string(const Sample&, std::span<const Turn>)> reference;
};

// What a user may set about a task before it is made; part of the run's spec.
struct TaskOptions {
  std::optional<int> shots;          // the task's own default where absent
  std::optional<PromptStyle> style;  // the task's own default where absent
  std::string system;                // a system message before everything, or ""
  Json params = Json::object();      // task-specific: infrawise takes "mode", "vocabulary"
  DataRoots roots;                   // where the task reads what it needs besides its samples
};

using TaskFactory = std::function<Task(const TaskOptions&)>;

}  // namespace micius
