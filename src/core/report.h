// A run summed up. Built by the pipeline, rendered (never computed) by reports.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/estimate.h"
#include "base/json.h"
#include "core/comparison.h"
#include "core/record.h"
#include "core/run.h"

namespace micius {

struct Metric {
  std::string name, unit;
  Direction direction = Direction::kHigherIsBetter;
  bool primary = false;
  std::optional<Estimate> estimate;  // absent: no sample has it, or samples failed
  // What models that know nothing, and everything, get; absent where that is not known, and in groups.
  std::optional<double> floor = {}, ceiling = {};
  Reduction reduction = Reduction::kMean;  // MetricInfo::reduction
};

// total = scored + unscored + failed + still open; the others are counted within scored. truncated: an answer
// was at its limit of tokens; cut: a prompt lost its beginning to a context that is too short. The last three
// tell apart what there is of no_answer beside the empty ones: refused by a content filter, thinking and
// nothing else, and text in which no answer was found. ended: none of these befell it, and it had an answer.
struct Counts {
  std::size_t total = 0, scored = 0, unscored = 0, failed = 0;
  std::size_t no_answer = 0, truncated = 0, empty = 0, cut = 0;
  std::size_t refused = 0, think_only = 0, unparsed = 0, ended = 0;
};

// The metrics of the samples whose field `by` is `key`.
struct Group {
  std::string by, key;
  std::size_t n = 0;
  std::vector<Metric> metrics;
};

// A number from the literature, on other test data.
struct Published {
  std::string source, model, metric;
  std::string group;  // the part of the task it is about, or ""
  double value = 0;   // fraction
  std::string note;
};

// Two ways of reading the same answer (`exact_match,strict-match` and `exact_match,flexible-extract`), held
// against each other over the records that both scored.
struct Readings {
  std::string metric, first, second;                   // "exact_match", "strict-match", "flexible-extract"
  std::size_t n = 0, only_first = 0, only_second = 0;  // that count for more by one than by the other
};

// What the reasons of wrong answers have in common ("records missed"), and how many records have it.
struct WrongReason {
  std::string words;
  std::size_t n = 0;
};

// Answers that are not right, or right in part only.
struct WrongAnswers {
  std::size_t n = 0;
  std::vector<WrongReason> reasons;  // the most frequent ones, those first; an answer may have several
};

// What one sample takes, over all turns: the mean over the samples, with its interval. Absent where nothing
// was counted.
struct Effort {
  std::optional<Estimate> prompt_tokens, completion_tokens, tokens;  // the last: of both
  std::optional<Estimate> cost_usd;                                  // absent where Usage::cost_usd is
};

// From being sent to being done, of the records whose times are known.
struct Latency {
  Estimate mean;  // a sample
  double p50 = 0, p90 = 0, p99 = 0;
};

struct Usage {
  std::uint64_t prompt_tokens = 0, cached_tokens = 0, cache_write_tokens = 0, completion_tokens = 0;
  std::optional<std::uint64_t> requests, retries;  // absent in a stable report
  std::optional<double> cost_usd;  // absent where a price, or what a server used, is not known
};

// What two executions of one spec do not share; absent in a stable report.
struct Execution {
  RunId id{};
  std::string started, finished;
  std::int64_t wall_ns = 0;
  double samples_per_s = 0;
  std::optional<Latency> seconds;
  std::optional<ForwardedTokens> work;  // of all records; absent where no model of ours did any
  Json environment = Json::object();
};

struct Report {
  RunSpec spec;
  RunStatus status = RunStatus::kUnfinished;
  Counts counts;
  std::vector<Metric> metrics;
  std::vector<Group> groups;
  std::vector<Published> published;
  std::vector<Readings> readings;
  WrongAnswers wrong;
  Effort effort;
  Usage usage;
  std::optional<Execution> execution;
};

// A figure over several runs of one model.
struct Aggregate {
  std::string name, model;           // "aimicius", "mmlu"
  std::vector<std::size_t> reports;  // indices into ReportSet::reports
  std::vector<Metric> metrics;
  std::string rule = "the mean of its tasks' primaries";  // how it is made of them, for the reader
};

// What a report writer is given. records(i, fn) calls fn for the records of reports[i], in dataset order.
struct ReportSet {
  std::vector<Report> reports;
  std::vector<Aggregate> aggregates;
  ComparisonSet comparisons;  // of reports whose place is the index of their report; may be empty
  // By scorer: what a page needs of its rules to show what it compared. Empty where no page is made.
  std::map<std::string, Json> scorer_rules = {};
  std::function<void(std::size_t report, const std::function<void(const Record&)>& fn)> records;
};

}  // namespace micius
