// What a gate lets pass.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

enum class Correction { kHolm, kBenjaminiHochberg, kNone };
enum class Tier { kFail, kWarn };

struct TaskRule {
  std::string metric = "primary";
  double max_drop = 0.02;  // in the metric's unit
  std::string
      max_drop_field;  // where the policy says so: "p.json: field 'defaults': field 'max_drop'", or ""
  Tier tier = Tier::kFail;
};

struct MustPass {
  std::string task;
  std::vector<std::string> samples;
};

struct Policy {
  std::string where;  // its file, for messages
  double alpha = 0.05;
  Correction correction = Correction::kHolm;
  std::optional<double> max_slowdown;               // 0.15: 15 % fewer samples a second
  std::optional<double> max_usd;                    // of all runs together
  std::optional<double> max_failed, max_no_answer;  // shares, of every run
  std::vector<MustPass> must_pass;

  // The rule of a task: the defaults with what the entries whose glob matches say, in the order of the file.
  TaskRule rule_of(const std::string& task) const;

  struct Entry {
    std::string glob;
    std::string field;  // where it stands: "p.json: field 'tasks': field 'mmlu_*'"
    std::optional<std::string> metric;
    std::optional<double> max_drop;
    std::optional<Tier> tier;
  };
  std::vector<Entry> tasks;  // the defaults first, under "*"
};

// {"micius_policy": 1, "defaults": {"metric", "max_drop", "alpha", "correction", "tier"}, "tasks": {GLOB:
// {"metric", "max_drop", "tier"}}, "must_pass": [{"task", "samples"}], "speed": {"max_slowdown"}, "cost":
// {"max_usd"}, "health": {"max_failed", "max_no_answer"}}; all but the first may be left out. Limits are
// 0 or more, shares at most 1 and alpha between the two; no key may come twice. Throws Error{kInvalidData}
// naming `where` and the field.
Policy read_policy(std::string_view text, const std::string& where);

}  // namespace micius
