#include "pipeline/gate.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/error.h"
#include "base/format.h"
#include "base/text.h"
#include "core/names.h"
#include "pipeline/compare.h"
#include "pipeline/duel.h"
#include "pipeline/early_evidence.h"
#include "pipeline/gated_tasks_internal.h"
#include "pipeline/must_pass_internal.h"
#include "pipeline/summarize.h"
#include "stats/distribution.h"
#include "stats/multiplicity.h"
#include "stats/paired.h"
#include "stats/power.h"

namespace micius {
namespace {

constexpr std::size_t kNamedSamples = 10;

std::string difference_words(double value, const std::string& unit) {
  std::string text = format_difference(value, unit);
  return text.substr(1);  // without its sign
}

std::string metric_name(const GatedTask& gated) {
  return gated.rule.metric == "primary" ? "" : gated.rule.metric;
}

GateCheck check_of(const GatedTask& gated, const std::string& metric, const std::string& rule) {
  GateCheck check;
  check.task = gated.task;
  check.metric = metric;
  check.rule = rule;
  check.baseline_run = gated.baseline.id;
  if (gated.current) check.current_run = gated.current->id;
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
    if (run->status != RunStatus::kComplete && !(run == &current && was_decided(current)))
      return fmt::format("run {} is {}; `micius resume {}` goes on", static_cast<std::int64_t>(run->id),
                         name_of(run->status), static_cast<std::int64_t>(run->id));
  return "";
}

// How many pairs, of which none changes, rule out a fall of `most`: Tango's interval of n such pairs ends at
// z^2 / (n + z^2).
double unchanged_pairs(double most) { return kNormal95 * kNormal95 * (1 - most) / most; }

// How many pairs would show a drop of `most`, as far as the pairs that there are tell.
std::string needed_words(const Comparison& c, double most) {
  if (most > 0 && c.flips.empty() && c.metric.unit == "fraction")
    return fmt::format("; about {:.0f} {} would tell", std::ceil(unchanged_pairs(most)),
                       c.difference.clusters ? "clusters" : "samples");
  std::optional<double> pairs;
  if (most > 0 && c.counts && c.interval == "tango") {
    const double differing =
        static_cast<double>(c.counts->only_a + c.counts->only_b) / static_cast<double>(c.samples);
    const double share = std::max(differing, most);  // that many must, where it is to fall by so much
    pairs = connor_pairs({(share + most) / 2, (share - most) / 2});
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

// What is known of a metric's fall.
struct Evidence {
  std::size_t samples = 0;
  double drop = 0;              // by how much the current run is worse; less than 0: better
  std::optional<double> worst;  // the far end of the drop's interval
  double p = 1;
  std::string basis, undecided;  // what every reason ends with, and one that says it cannot be decided
};

// A is the baseline, B the current run.
Evidence evidence_of(const Comparison& c, double p, double most) {
  const bool higher = c.metric.direction == Direction::kHigherIsBetter;
  return {c.samples,
          higher ? c.difference.value : -c.difference.value,
          worst_drop(c),
          p,
          "",
          needed_words(c, most)};
}

Evidence evidence_of(const Comparison& c, const EarlyEvidence& early, double p) {
  const bool higher = c.metric.direction == Direction::kHigherIsBetter;
  return {early.samples,
          higher ? -early.difference : early.difference,
          higher ? -early.interval.low : early.interval.high,
          p,
          fmt::format("; stopped once decided, on the first {} of {} samples, by a test that allows for it",
                      early.samples, early.planned),
          fmt::format("; `micius resume {}` asks the rest", static_cast<std::int64_t>(c.b.run))};
}

void judge_quality(const Comparison& c, const Evidence& e, double alpha, double most, GateCheck& check) {
  const double drop = e.drop, p = e.p;
  const std::optional<double>& worst = e.worst;
  check.metric = c.metric.name;
  check.unit = c.metric.unit;
  check.difference = c.metric.direction == Direction::kHigherIsBetter ? -drop : drop;
  check.p = p;
  if (e.samples == c.samples) {  // else they are of other samples than the difference
    check.baseline = c.a.estimate->value;
    check.current = c.b.estimate->value;
  }
  name_worse(c, check);
  const std::string limit = difference_words(most, c.metric.unit);
  const std::string words =
      (drop > 0 ? "worse by " : "better by ") + difference_words(std::abs(drop), c.metric.unit);
  // Last, as the names of these samples are put behind it.
  const std::string worse =
      check.worse == 0 ? "" : fmt::format("; {} of {} samples got worse", check.worse, c.samples);
  if (drop > most && p <= alpha)
    return settle(check, GateVerdict::kFail,
                  fmt::format("{}, more than {} (p {}){}{}", words, limit, format_p(p), e.basis, worse));
  if (worst && *worst <= most)
    return settle(
        check, GateVerdict::kPass,
        (drop == 0 ? "did not change" : fmt::format("{} (p {}), within {}", words, format_p(p), limit)) +
            e.basis + worse);
  settle(check, GateVerdict::kInconclusive,
         fmt::format("{} on {} samples (p {}): a fall of {} cannot be ruled out{}{}{}",
                     drop == 0 ? "did not change" : words, e.samples, format_p(p), limit, e.basis,
                     e.undecided, worse));
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

// Nothing to compare, or something that stands in the way: else nothing.
std::optional<GateCheck> early_check(const GatedTask& gated, const std::string& rule) {
  GateCheck check = check_of(gated, gated.rule.metric, rule);
  if (!gated.current) {
    settle(check, GateVerdict::kFail, "the baseline has this task, the current runs lack it");
    return check;
  }
  const std::string why = obstacle(gated.baseline, *gated.current);
  if (why.empty()) return std::nullopt;
  settle(check, GateVerdict::kInconclusive, why);
  return check;
}

// A quality check that waits for the p-values of the others.
struct Open {
  std::size_t check, task;
  Comparison comparison;
  std::optional<EarlyEvidence> early;  // of a run that was ended once decided
};

// Absent where nothing can be compared; then the check says why.
std::optional<Open> open_check(const Store& store, const GatedTask& gated, double level, GateCheck& check) {
  CompareOptions options;
  options.metric = metric_name(gated);
  options.incomparable = Incomparable::kForce;
  auto c = compare_pair(store, gated.baseline.id, gated.current->id, options);
  if (!c) {
    settle(check, GateVerdict::kInconclusive, "no sample is scored in both runs");
    return std::nullopt;
  }
  if (!c->forced.empty()) {
    settle(check, GateVerdict::kInconclusive, join(c->forced, "; "));
    return std::nullopt;
  }
  Open open{0, 0, std::move(*c), {}};
  if (!was_decided(*gated.current)) return open;
  if (const MetricInfo& metric = open.comparison.metric; metric.unit != "fraction" || metric.k != 1) {
    settle(
        check, GateVerdict::kInconclusive,
        fmt::format("the run was stopped once decided and '{}' is no mean of fractions; `micius resume {}` "
                    "asks the rest",
                    metric.name, static_cast<std::int64_t>(gated.current->id)));
    return std::nullopt;
  }
  open.early = early_evidence(store, gated.baseline.id, *gated.current, options.metric, level);
  return open;
}

void add_quality(const Store& store, const std::vector<GatedTask>& tasks, const Policy& policy,
                 std::vector<GateCheck>& checks) {
  std::vector<Open> open;
  PValues p;
  const double level = policy.correction == Correction::kNone
                           ? policy.alpha
                           : policy.alpha / static_cast<double>(tasks.size());
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string rule = fmt::format("max_drop {:g}", tasks[i].rule.max_drop);
    if (auto early = early_check(tasks[i], rule)) {
      checks.push_back(std::move(*early));
      continue;
    }
    checks.push_back(check_of(tasks[i], tasks[i].rule.metric, rule));
    auto found = open_check(store, tasks[i], level, checks.back());
    if (!found) continue;
    found->check = checks.size() - 1;
    found->task = i;
    p.emplace_back(found->early ? found->early->p : gate_p(found->comparison));
    open.push_back(std::move(*found));
  }
  const PValues adjusted = corrected(p, policy.correction);
  for (std::size_t i = 0; i < open.size(); ++i) {
    const Comparison& c = open[i].comparison;
    const double most = tasks[open[i].task].rule.max_drop;
    const Evidence evidence =
        open[i].early ? evidence_of(c, *open[i].early, *adjusted[i]) : evidence_of(c, *adjusted[i], most);
    judge_quality(c, evidence, policy.alpha, most, checks[open[i].check]);
  }
}

void add_must_pass(const Store& store, const std::vector<Run>& current, const Policy& policy,
                   std::vector<GateCheck>& checks) {
  for (const MustPass& wanted : policy.must_pass) {
    const auto run = std::find_if(current.begin(), current.end(),
                                  [&](const Run& other) { return other.spec.task == wanted.task; });
    checks.push_back(must_pass_check(store, wanted, run == current.end() ? nullptr : &*run));
  }
}

// Runs that have nothing to be held against: a warning, unless the policy has their task by name.
void add_unmatched(const std::vector<Run>& unmatched, const Policy& policy, std::vector<GateCheck>& checks) {
  for (const Run& run : unmatched) {
    const std::string& task = run.spec.task;
    const TaskRule rule = policy.rule_of(task);
    const bool is_named = std::any_of(policy.tasks.begin(), policy.tasks.end(),
                                      [&](const Policy::Entry& entry) { return entry.glob == task; });
    GateCheck check;
    check.task = task;
    check.metric = rule.metric;
    check.rule = fmt::format("max_drop {:g}", rule.max_drop);
    check.current_run = run.id;
    settle(check, is_named ? GateVerdict::kInconclusive : GateVerdict::kWarn,
           "the baseline has no run of this task, so nothing judges its quality; `micius baseline set` with "
           "one");
    checks.push_back(std::move(check));
  }
}

double share(std::size_t part, std::size_t whole) {
  return whole == 0 ? 0 : static_cast<double>(part) / static_cast<double>(whole);
}

void add_share(const GatedTask& gated, const char* metric, double value, double most,
               std::vector<GateCheck>& checks) {
  GateCheck check = check_of(gated, metric, fmt::format("max_{} {:g}", metric, most));
  check.unit = "fraction";
  check.current = value;
  const bool good = value <= most;
  settle(
      check, good ? GateVerdict::kPass : GateVerdict::kFail,
      fmt::format("{}, {} {}", format_percent(value), good ? "within" : "more than", format_percent(most)));
  checks.push_back(std::move(check));
}

void add_speed(const GatedTask& gated, const Report& before, const Report& now, double most,
               std::vector<GateCheck>& checks) {
  GateCheck check = check_of(gated, "samples_per_s", fmt::format("max_slowdown {:g}", most));
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

void add_operation(const Store& store, const std::vector<GatedTask>& tasks, const Policy& policy,
                   std::vector<GateCheck>& checks) {
  if (!policy.max_slowdown && !policy.max_failed && !policy.max_no_answer) return;
  for (const GatedTask& gated : tasks) {
    if (!gated.current) continue;
    SummarizeOptions options;
    options.allow_failed = true;
    const Report now = summarize(store, gated.current->id, options);
    if (policy.max_failed)
      add_share(gated, "failed", share(now.counts.failed, now.counts.total), *policy.max_failed, checks);
    if (policy.max_no_answer)
      add_share(gated, "no_answer", share(now.counts.no_answer, now.counts.scored), *policy.max_no_answer,
                checks);
    if (policy.max_slowdown)
      add_speed(gated, summarize(store, gated.baseline.id, options), now, *policy.max_slowdown, checks);
  }
}

// What the store knows of a run's cost, else what the price kept with it makes of its answers; a run through
// the engine, or one that is made up, costs nothing.
std::optional<double> cost_of(const Store& store, const Json& overview, const Run& run) {
  for (const Json& row : overview)
    if (row.at("run_id") == static_cast<std::int64_t>(run.id) && row.at("cost_usd").is_number())
      return row.at("cost_usd").get<double>();
  return run.spec.model.is_remote() ? summarize(store, run.id, {}).usage.cost_usd : std::optional(0.0);
}

void add_cost(const Store& store, const std::vector<Run>& current, const Policy& policy,
              std::vector<GateCheck>& checks) {
  if (!policy.max_usd) return;
  GateCheck check;
  check.metric = "cost";
  check.rule = fmt::format("max_usd {:g}", *policy.max_usd);
  check.unit = "USD";
  const Json overview = store.overview();
  double sum = 0;
  std::vector<std::string> unknown;
  for (const Run& run : current) {
    const std::optional<double> cost = cost_of(store, overview, run);
    if (!cost) unknown.push_back(fmt::format("{}", static_cast<std::int64_t>(run.id)));
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
  const std::vector<Run> runs = current_runs(store, current);
  const std::vector<GatedTask> tasks = gated_tasks(store, baseline, runs, policy);
  GateResult result;
  add_quality(store, tasks, policy, result.checks);
  add_unmatched(runs_without_baseline(tasks, runs), policy, result.checks);
  add_must_pass(store, runs, policy, result.checks);
  add_operation(store, tasks, policy, result.checks);
  add_cost(store, runs, policy, result.checks);
  for (GateCheck& check : result.checks) {
    const bool warns = !check.task.empty() && policy.rule_of(check.task).tier == Tier::kWarn;
    if (warns && check.verdict != GateVerdict::kPass) check.verdict = GateVerdict::kWarn;
    if (check.verdict != GateVerdict::kWarn) result.verdict = std::max(result.verdict, check.verdict);
  }
  return result;
}

}  // namespace micius
