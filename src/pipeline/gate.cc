#include "pipeline/gate.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "core/names.h"
#include "pipeline/compare.h"
#include "pipeline/summarize.h"
#include "stats/multiplicity.h"
#include "stats/paired.h"
#include "stats/power.h"

namespace micius {
namespace {

constexpr std::size_t kNamedSamples = 10;

// One task's runs and what the policy wants of them.
struct Duel {
  std::string task;
  TaskRule rule;
  Run baseline;
  std::optional<Run> current;
};

std::string difference_words(double value, const std::string& unit) {
  std::string text = format_difference(value, unit);
  return text.substr(1);  // without its sign
}

std::string metric_name(const Duel& duel) { return duel.rule.metric == "primary" ? "" : duel.rule.metric; }

GateCheck check_of(const Duel& duel, const std::string& metric, const std::string& rule) {
  GateCheck check;
  check.task = duel.task;
  check.metric = metric;
  check.rule = rule;
  check.baseline_run = duel.baseline.id;
  if (duel.current) check.current_run = duel.current->id;
  return check;
}

void settle(GateCheck& check, GateVerdict verdict, std::string reason) {
  check.verdict = verdict;
  check.reason = std::move(reason);
}

// Why the two runs are of different things.
std::string obstacle(const Run& baseline, const Run& current) {
  const RunSpec &x = baseline.spec, &y = current.spec;
  if (x.task_version != y.task_version)
    return fmt::format("task version {} against the baseline's {}", y.task_version, x.task_version);
  if (x.shots != y.shots) return fmt::format("{} shots against the baseline's {}", y.shots, x.shots);
  if (x.dataset.sha256 != y.dataset.sha256) return "the data file is another one than the baseline's";
  for (const Run* run : {&baseline, &current})
    if (run->status != RunStatus::kComplete)
      return fmt::format("run {} is {}; `micius resume {}` goes on", static_cast<std::int64_t>(run->id),
                         name_of(run->status), static_cast<std::int64_t>(run->id));
  return "";
}

// How many pairs would show a drop of `most`, as far as the pairs that there are tell.
std::string needed_words(const Comparison& c, double most) {
  std::optional<double> pairs;
  if (most > 0 && c.counts && c.interval == "tango") {
    const double share =
        static_cast<double>(c.counts->only_a + c.counts->only_b) / static_cast<double>(c.samples);
    if (share > most) pairs = connor_pairs({(share + most) / 2, (share - most) / 2});
  } else if (most > 0 && c.difference.stderr_) {
    pairs = pairs_for_mean(most, *c.difference.stderr_ * std::sqrt(static_cast<double>(c.samples)));
  }
  if (!pairs || *pairs <= static_cast<double>(c.samples)) return "";
  return fmt::format("; about {:.0f} samples would tell", std::ceil(*pairs));
}

void name_worse(const Comparison& c, GateCheck& check) {
  const double sign = c.metric.direction == Direction::kHigherIsBetter ? 1 : -1;
  for (const Flip& flip : c.flips) {
    if (sign * (flip.b_value - flip.a_value) >= 0) continue;
    if (check.samples.size() < kNamedSamples) check.samples.push_back(flip.sample_id);
    ++check.worse;
  }
}

// The far end of the interval of the drop. Where no sample changed there may be no spread to make one of;
// then it is Tango's for as many samples, or clusters, of which none changed.
std::optional<double> worst_drop(const Comparison& c) {
  const Estimate& e = c.difference;
  const bool higher = c.metric.direction == Direction::kHigherIsBetter;
  if (e.low && e.high) return higher ? *e.high : -*e.low;
  if (!c.flips.empty()) return std::nullopt;
  if (c.metric.unit != "fraction") return 0;
  return paired_difference({e.clusters.value_or(e.n), 0, 0, 0})->tango.high;
}

// The exact test where there is one: a gate's error must not be more than its level on any data.
double gate_p(const Comparison& c) {
  const auto exact = std::find_if(c.tests.begin(), c.tests.end(),
                                  [](const PairedTest& test) { return test.name == "mcnemar_exact"; });
  return exact == c.tests.end() ? c.tests.front().p : exact->p;
}

// A is the baseline, B the current run.
void judge_quality(const Comparison& c, double p, double alpha, double most, GateCheck& check) {
  const bool higher = c.metric.direction == Direction::kHigherIsBetter;
  const Estimate& e = c.difference;
  const double drop = higher ? e.value : -e.value;
  const std::optional<double> worst = worst_drop(c);
  check.metric = c.metric.name;
  check.unit = c.metric.unit;
  check.baseline = c.a.estimate->value;
  check.current = c.b.estimate->value;
  check.difference = -e.value;
  check.p = p;
  name_worse(c, check);
  const std::string limit = difference_words(most, c.metric.unit);
  const std::string words =
      (drop > 0 ? "worse by " : "better by ") + difference_words(std::abs(drop), c.metric.unit);
  if (drop > most && p <= alpha)
    return settle(check, GateVerdict::kFail,
                  fmt::format("{}, more than {} (p {}); {} of {} samples got worse", words, limit,
                              format_p(p), check.worse, c.samples));
  if (worst && *worst <= most)
    return settle(
        check, GateVerdict::kPass,
        drop == 0 ? "did not change" : fmt::format("{} (p {}), within {}", words, format_p(p), limit));
  settle(check, GateVerdict::kInconclusive,
         fmt::format("{} on {} samples (p {}): a fall of {} cannot be ruled out{}",
                     drop == 0 ? "did not change" : words, c.samples, format_p(p), limit,
                     needed_words(c, most)));
}

PValues corrected(const PValues& p, Correction correction) {
  switch (correction) {
    case Correction::kHolm:
      return holm(p);
    case Correction::kBenjaminiHochberg:
      return benjamini_hochberg(p);
    case Correction::kNone:
      break;
  }
  return p;
}

std::vector<Duel> duels_of(const Store& store, const std::vector<RunId>& baseline,
                           const std::vector<RunId>& current, const Policy& policy) {
  std::vector<Duel> duels;
  for (const RunId id : baseline) {
    Run run = store.run(id);
    const std::string task = run.spec.task;
    const auto same = [&](const Duel& duel) { return duel.task == task; };
    if (std::any_of(duels.begin(), duels.end(), same))
      fail(ErrorCode::kUsage, "the baseline has two runs of {}; `micius baseline set` with one of each task",
           task);
    duels.push_back({task, policy.rule_of(task), std::move(run), {}});
  }
  for (const RunId id : current) {
    const Run run = store.run(id);
    for (Duel& duel : duels)
      if (duel.task == run.spec.task) duel.current = run;
  }
  return duels;
}

// Nothing to compare, or something that stands in the way: else nothing.
std::optional<GateCheck> early_check(const Duel& duel, const std::string& rule) {
  GateCheck check = check_of(duel, duel.rule.metric, rule);
  if (!duel.current) {
    settle(check, GateVerdict::kFail, "the baseline has this task, the current runs lack it");
    return check;
  }
  const std::string why = obstacle(duel.baseline, *duel.current);
  if (why.empty()) return std::nullopt;
  settle(check, GateVerdict::kInconclusive, why);
  return check;
}

void add_quality(const Store& store, const std::vector<Duel>& duels, const Policy& policy,
                 std::vector<GateCheck>& checks) {
  struct Open {
    std::size_t check, duel;
    Comparison comparison;
  };
  std::vector<Open> open;
  PValues p;
  for (std::size_t i = 0; i < duels.size(); ++i) {
    const Duel& duel = duels[i];
    const std::string rule = fmt::format("max_drop {:g}", duel.rule.max_drop);
    if (auto early = early_check(duel, rule)) {
      checks.push_back(std::move(*early));
      continue;
    }
    checks.push_back(check_of(duel, duel.rule.metric, rule));
    CompareOptions options;
    options.metric = metric_name(duel);
    options.incomparable = Incomparable::kForce;
    auto c = compare_pair(store, duel.baseline.id, duel.current->id, options);
    if (!c) {
      settle(checks.back(), GateVerdict::kInconclusive, "no sample is scored in both runs");
    } else if (!c->forced.empty()) {
      settle(checks.back(), GateVerdict::kInconclusive, join(c->forced, "; "));
    } else {
      p.emplace_back(gate_p(*c));
      open.push_back({checks.size() - 1, i, std::move(*c)});
    }
  }
  const PValues adjusted = corrected(p, policy.correction);
  for (std::size_t i = 0; i < open.size(); ++i)
    judge_quality(open[i].comparison, *adjusted[i], policy.alpha, duels[open[i].duel].rule.max_drop,
                  checks[open[i].check]);
}

void add_must_pass(const Store& store, const std::vector<RunId>& current, const Policy& policy,
                   std::vector<GateCheck>& checks) {
  for (const MustPass& wanted : policy.must_pass) {
    GateCheck check;
    check.task = wanted.task;
    check.metric = "must_pass";
    check.rule = fmt::format("{} samples correct", wanted.samples.size());
    for (const RunId id : current)
      if (store.run(id).spec.task == wanted.task) check.current_run = id;
    std::map<std::string, bool> correct;  // in every repeat
    if (check.current_run)
      store.for_each_score(*check.current_run, [&](const Record& record) {
        bool& all = correct.try_emplace(record.sample.id, true).first->second;
        all = all && !record.failure && record.score.verdict == Verdict::kCorrect;
      });
    for (const std::string& id : wanted.samples)
      if (correct.count(id) == 0 || !correct[id]) check.samples.push_back(id);
    check.worse = check.samples.size();
    settle(check, check.worse == 0 ? GateVerdict::kPass : GateVerdict::kFail,
           check.worse == 0 ? "all are correct"
                            : fmt::format("{} of {} are not correct", check.worse, wanted.samples.size()));
    checks.push_back(std::move(check));
  }
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_share(const Duel& duel, const char* metric, double value, double most,
               std::vector<GateCheck>& checks) {
  GateCheck check = check_of(duel, metric, fmt::format("max_{} {:g}", metric, most));
  check.unit = "fraction";
  check.current = value;
  const bool good = value <= most;
  settle(
      check, good ? GateVerdict::kPass : GateVerdict::kFail,
      fmt::format("{}, {} {}", format_percent(value), good ? "within" : "more than", format_percent(most)));
  checks.push_back(std::move(check));
}

void add_speed(const Duel& duel, const Report& before, const Report& now, double most,
               std::vector<GateCheck>& checks) {
  GateCheck check = check_of(duel, "samples_per_s", fmt::format("max_slowdown {:g}", most));
  check.unit = "1/s";
  const double x = before.execution->samples_per_s, y = now.execution->samples_per_s;
  if (x <= 0 || y <= 0) {
    settle(check, GateVerdict::kInconclusive, "a run has no time to compare");
  } else {
    check.baseline = x;
    check.current = y;
    check.difference = y - x;
    const double slower = 1 - y / x;
    const std::string words =
        fmt::format("{} {}", format_percent(std::abs(slower)), slower > 0 ? "slower" : "faster");
    settle(check, slower > most ? GateVerdict::kFail : GateVerdict::kPass,
           slower > most ? fmt::format("{}, more than {}", words, format_percent(most)) : words);
  }
  checks.push_back(std::move(check));
}

void add_operation(const Store& store, const std::vector<Duel>& duels, const Policy& policy,
                   std::vector<GateCheck>& checks) {
  if (!policy.max_slowdown && !policy.max_failed && !policy.max_no_answer) return;
  for (const Duel& duel : duels) {
    if (!duel.current) continue;
    SummarizeOptions options;
    options.allow_failed = true;
    const Report now = summarize(store, duel.current->id, options);
    if (policy.max_failed)
      add_share(duel, "failed", share(now.counts.failed, now.counts.total), *policy.max_failed, checks);
    if (policy.max_no_answer)
      add_share(duel, "no_answer", share(now.counts.no_answer, now.counts.scored), *policy.max_no_answer,
                checks);
    if (policy.max_slowdown)
      add_speed(duel, summarize(store, duel.baseline.id, options), now, *policy.max_slowdown, checks);
  }
}

// What the store knows of a run's cost, else what the price kept with it makes of its answers; a run through
// the engine, or one that is made up, costs nothing.
std::optional<double> cost_of(const Store& store, const Json& overview, const Run& run) {
  for (const Json& row : overview)
    if (row.at("run_id") == static_cast<std::int64_t>(run.id) && row.at("cost_usd").is_number())
      return row.at("cost_usd").get<double>();
  const std::string& kind = run.spec.model.kind;
  const bool is_remote = kind == "openai" || kind == "azure" || kind == "anthropic";
  return is_remote ? summarize(store, run.id, {}).usage.cost_usd : std::optional(0.0);
}

void add_cost(const Store& store, const std::vector<RunId>& current, const Policy& policy,
              std::vector<GateCheck>& checks) {
  if (!policy.max_usd) return;
  GateCheck check;
  check.metric = "cost";
  check.rule = fmt::format("max_usd {:g}", *policy.max_usd);
  check.unit = "USD";
  const Json overview = store.overview();
  double sum = 0;
  std::vector<std::string> unknown;
  for (const RunId id : current) {
    const std::optional<double> cost = cost_of(store, overview, store.run(id));
    if (!cost) unknown.push_back(fmt::format("{}", static_cast<std::int64_t>(id)));
    sum += cost.value_or(0);
  }
  check.current = sum;
  if (sum > *policy.max_usd) {
    settle(check, GateVerdict::kFail, fmt::format("${:.2f}, more than ${:g}", sum, *policy.max_usd));
  } else if (!unknown.empty()) {
    check.current.reset();
    settle(check, GateVerdict::kInconclusive,
           fmt::format("what run {} cost is not known", join(unknown, ", ")));
  } else {
    settle(check, GateVerdict::kPass, sum == 0 ? "local runs cost nothing" : fmt::format("${:.2f}", sum));
  }
  checks.push_back(std::move(check));
}

}  // namespace

GateResult gate(const Store& store, const std::vector<RunId>& baseline, const std::vector<RunId>& current,
                const Policy& policy) {
  if (baseline.empty() || current.empty()) fail(ErrorCode::kUsage, "a gate needs runs and a baseline");
  const std::vector<Duel> duels = duels_of(store, baseline, current, policy);
  GateResult result;
  add_quality(store, duels, policy, result.checks);
  add_must_pass(store, current, policy, result.checks);
  add_operation(store, duels, policy, result.checks);
  add_cost(store, current, policy, result.checks);
  for (GateCheck& check : result.checks) {
    const bool warns = !check.task.empty() && policy.rule_of(check.task).tier == Tier::kWarn;
    if (warns && check.verdict != GateVerdict::kPass) check.verdict = GateVerdict::kWarn;
    if (check.verdict != GateVerdict::kWarn) result.verdict = std::max(result.verdict, check.verdict);
  }
  return result;
}

}  // namespace micius
