#include "pipeline/policy.h"

#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/json_builder.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kMaxDepth = 16;

Json parse_policy(std::string_view text, std::string_view where) {
  Json json = parse_json(text, where);
  Json again;
  // Of two rules for a task only one would hold.
  JsonBuilder builder(again, kMaxDepth, where, DistinctKeys("keep one of them"));
  Json::sax_parse(text, &builder);
  return json;
}

// A word of a short list.
template <typename Value>
Value word(const JsonFields& fields, const std::string& key, const std::map<std::string, Value>& words) {
  const std::string text = fields.string(key);
  const auto it = words.find(text);
  if (it != words.end()) return it->second;
  std::vector<std::string> names;
  for (const auto& [name, value] : words) names.push_back(name);
  fail(ErrorCode::kInvalidData, "{}: field '{}': unknown '{}'{}; one of {}", fields.where(), key, text,
       did_you_mean(text, names), join(names, ", "));
}

double at_least_0(const JsonFields& fields, const std::string& key) {
  const double value = fields.number(key);
  if (!(value >= 0)) fail(ErrorCode::kInvalidData, "{}: field '{}': must be 0 or more", fields.where(), key);
  return value;
}

double share(const JsonFields& fields, const std::string& key) {
  const double value = at_least_0(fields, key);
  if (value > 1)
    fail(ErrorCode::kInvalidData, "{}: field '{}': {:g} is more than 1; it is a fraction: 0.05 is 5 points",
         fields.where(), key, value);
  return value;
}

double level(const JsonFields& fields, const std::string& key) {
  const double value = share(fields, key);
  if (value == 0 || value == 1)
    fail(ErrorCode::kInvalidData,
         "{}: field '{}': must be above 0 and below 1, the chance to fail a run that is as good; 0.05 is "
         "usual",
         fields.where(), key);
  return value;
}

std::optional<double> limit(const JsonFields& fields, const std::string& key,
                            double (*read)(const JsonFields&, const std::string&)) {
  return fields.has(key) ? std::optional(read(fields, key)) : std::nullopt;
}

Policy::Entry entry_of(const std::string& glob, const JsonFields& fields) {
  Policy::Entry entry;
  entry.glob = glob;
  entry.field = fields.where();
  if (fields.has("metric")) entry.metric = fields.string("metric");
  entry.max_drop = limit(fields, "max_drop", at_least_0);  // a gate knows whether it is a fraction
  if (fields.has("tier"))
    entry.tier = word<Tier>(fields, "tier", {{"fail", Tier::kFail}, {"warn", Tier::kWarn}});
  return entry;
}

void read_defaults(const JsonFields& fields, Policy& policy) {
  fields.only({"metric", "max_drop", "alpha", "correction", "tier"});
  policy.tasks.push_back(entry_of("*", fields));
  if (fields.has("alpha")) policy.alpha = level(fields, "alpha");
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
    if (entry.max_drop) {
      rule.max_drop = *entry.max_drop;
      rule.max_drop_field = entry.field + ": field 'max_drop'";
    }
    rule.tier = entry.tier.value_or(rule.tier);
  }
  return rule;
}

Policy read_policy(std::string_view text, const std::string& where) {
  const Json json = parse_policy(text, where), none = Json::object();
  const JsonFields fields(json, where);
  fields.only({"micius_policy", "defaults", "tasks", "must_pass", "speed", "cost", "health"});
  if (fields.integer("micius_policy") != 1)
    fail(ErrorCode::kInvalidData, "{}: 'micius_policy' must be 1, the version that this program reads",
         where);
  Policy policy;
  policy.where = where;
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
  const auto limits_of = [&](const char* group, const std::vector<std::string>& keys) {
    JsonFields limits = fields.has(group) ? fields.object(group) : JsonFields(none, where);
    limits.only(keys);
    return limits;
  };
  policy.max_slowdown = limit(limits_of("speed", {"max_slowdown"}), "max_slowdown", share);
  policy.max_usd = limit(limits_of("cost", {"max_usd"}), "max_usd", at_least_0);
  const JsonFields health = limits_of("health", {"max_failed", "max_no_answer"});
  policy.max_failed = limit(health, "max_failed", share);
  policy.max_no_answer = limit(health, "max_no_answer", share);
  return policy;
}

}  // namespace micius
