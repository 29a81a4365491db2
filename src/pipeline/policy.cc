#include "pipeline/policy.h"

#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/text.h"

namespace micius {
namespace {

// A word of a short list.
template <typename Value>
Value word(const JsonFields& fields, const std::string& key, const std::map<std::string, Value>& words) {
  const std::string text = fields.string(key);
  const auto it = words.find(text);
  if (it != words.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [name, value] : words) names.push_back(name);
  fail(ErrorCode::kInvalidData, "{}.{}: unknown '{}'{}; one of {}", fields.where(), key, text,
       did_you_mean(text, names), join(names, ", "));
}

double at_least_0(const JsonFields& fields, const std::string& key) {
  const double value = fields.number(key);
  if (!(value >= 0)) fail(ErrorCode::kInvalidData, "{}.{}: must be 0 or more", fields.where(), key);
  return value;
}

std::optional<double> limit(const JsonFields& fields, const std::string& key) {
  return fields.has(key) ? std::optional(at_least_0(fields, key)) : std::nullopt;
}

Policy::Entry entry_of(const std::string& glob, const JsonFields& fields) {
  Policy::Entry entry;
  entry.glob = glob;
  if (fields.has("metric")) entry.metric = fields.string("metric");
  entry.max_drop = limit(fields, "max_drop");
  if (fields.has("tier"))
    entry.tier = word<Tier>(fields, "tier", {{"fail", Tier::kFail}, {"warn", Tier::kWarn}});
  return entry;
}

void read_defaults(const JsonFields& fields, Policy& policy) {
  fields.only({"metric", "max_drop", "alpha", "correction", "tier"});
  policy.tasks.push_back(entry_of("*", fields));
  if (fields.has("alpha")) policy.alpha = at_least_0(fields, "alpha");
  if (fields.has("correction"))
    policy.correction = word<Correction>(
        fields, "correction",
        {{"holm", Correction::kHolm}, {"bh", Correction::kBenjaminiHochberg}, {"none", Correction::kNone}});
}

std::vector<MustPass> must_pass_of(const Json& list, const std::string& where) {
  if (!list.is_array()) fail(ErrorCode::kInvalidData, "{}: must be a list", where);
  std::vector<MustPass> result;
  for (const Json& item : list) {
    const JsonFields fields(item, where);
    fields.only({"task", "samples"});
    result.push_back({fields.string("task"), fields.strings_or("samples", {})});
    if (result.back().samples.empty())
      fail(ErrorCode::kInvalidData, "{}: 'samples' names no sample of {}", where, result.back().task);
  }
  return result;
}

}  // namespace

TaskRule Policy::rule_of(const std::string& task) const {
  TaskRule rule;
  for (const Entry& entry : tasks) {
    if (!matches_glob(entry.glob, task)) continue;
    rule.metric = entry.metric.value_or(rule.metric);
    rule.max_drop = entry.max_drop.value_or(rule.max_drop);
    rule.tier = entry.tier.value_or(rule.tier);
  }
  return rule;
}

Policy read_policy(std::string_view text, const std::string& where) {
  const Json json = parse_json(text, where);
  const JsonFields fields(json, where);
  fields.only({"micius_policy", "defaults", "tasks", "must_pass", "speed", "cost", "health"});
  if (fields.integer("micius_policy") != 1)
    fail(ErrorCode::kInvalidData, "{}: 'micius_policy' must be 1, the version that this program reads",
         where);
  Policy policy;
  if (fields.has("defaults")) read_defaults(fields.object("defaults"), policy);
  if (fields.has("tasks")) {
    const JsonFields tasks = fields.object("tasks");
    for (const auto& [glob, rule] : json.at("tasks").items()) {
      const JsonFields entry = tasks.object(glob);
      entry.only({"metric", "max_drop", "tier"});
      policy.tasks.push_back(entry_of(glob, entry));
    }
  }
  if (fields.has("must_pass")) policy.must_pass = must_pass_of(json.at("must_pass"), where + ".must_pass");
  const auto limit_of = [&](const char* group, const std::vector<std::string>& keys, const char* key) {
    if (!fields.has(group)) return std::optional<double>();
    const JsonFields limits = fields.object(group);
    limits.only(keys);
    return limit(limits, key);
  };
  policy.max_slowdown = limit_of("speed", {"max_slowdown"}, "max_slowdown");
  policy.max_usd = limit_of("cost", {"max_usd"}, "max_usd");
  policy.max_failed = limit_of("health", {"max_failed", "max_no_answer"}, "max_failed");
  policy.max_no_answer = limit_of("health", {"max_failed", "max_no_answer"}, "max_no_answer");
  return policy;
}

}  // namespace micius
