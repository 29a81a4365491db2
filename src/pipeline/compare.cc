#include "pipeline/compare.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "core/group_keys.h"
#include "core/names.h"
#include "pipeline/duel.h"
#include "pipeline/paired_internal.h"
#include "pipeline/scored_run.h"
#include "stats/bradley_terry.h"
#include "stats/distribution.h"
#include "stats/multiplicity.h"

namespace micius {
namespace {

constexpr RunId kSkipped{};
constexpr double kLevel = 0.05;

std::int64_t number(RunId run) { return static_cast<std::int64_t>(run); }

// The runs of one task.
struct Sides {
  std::string task;
  std::vector<ScoredRun> runs;
  std::vector<std::string> labels;
};

Finding finding_of(double p_adjusted, double difference, Direction direction) {
  if (p_adjusted > kLevel || difference == 0) return Finding::kNoDifference;
  return (difference > 0) == (direction == Direction::kHigherIsBetter) ? Finding::kABetter
                                                                       : Finding::kBBetter;
}

using Pairs = std::vector<std::pair<std::size_t, std::size_t>>;

std::vector<ComparedGroup> groups_of(const ScoredRun& a, const Pairs& pairs, const Paired& paired) {
  std::vector<ComparedGroup> groups;
  for (const std::string& by : a.run.spec.breakdowns) {
    std::map<std::string, std::vector<std::size_t>, KeyOrder> members;
    for (std::size_t i = 0; i < pairs.size(); ++i)
      for (const std::string& key : group_keys(a.samples[pairs[i].first].sample, by))
        members[key].push_back(i);
    for (const auto& [key, places] : members) {
      if (places.size() == pairs.size())
        continue;  // the comparison itself, which would only weaken the others
      const Paired part = part_of(paired, places);
      groups.push_back({by, key, side_estimate(part.a, part, a.metric), side_estimate(part.b, part, a.metric),
                        difference_of(part).first, tests_of(part, a.run.spec.task).front().p});
    }
  }
  PValues p;
  for (const ComparedGroup& group : groups) p.emplace_back(group.p);
  const PValues adjusted = holm(p);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    groups[i].p_adjusted = *adjusted[i];
    groups[i].finding = finding_of(*adjusted[i], groups[i].difference->value, a.metric.direction);
  }
  return groups;
}

// Why the two are not comparable.
std::vector<std::string> obstacles(const ScoredRun& a, const ScoredRun& b, const Pairs& pairs) {
  std::vector<std::string> reasons;
  const RunSpec &x = a.run.spec, &y = b.run.spec;
  if (x.task_version != y.task_version)
    reasons.push_back(fmt::format("task version {} against {}", x.task_version, y.task_version));
  if (x.shots != y.shots) reasons.push_back(fmt::format("{} shots against {}", x.shots, y.shots));
  if (!is_same_metric(a.metric, b.metric))
    reasons.push_back(fmt::format("metric {} against {}", a.metric.name, b.metric.name));
  std::string first;
  std::size_t count = 0;
  for (const auto& [i, j] : pairs) {
    if (same_content(a.samples[i].sample, b.samples[j].sample)) continue;
    if (count++ == 0) first = a.samples[i].sample.id;
  }
  if (count > 0)
    reasons.push_back(
        fmt::format("{} of {} paired samples differ in content, '{}' the first", count, pairs.size(), first));
  return reasons;
}

std::string shown(const Json& value) {
  constexpr std::size_t kLongest = 40;
  if (value.is_null() || value == "") return "none";
  return shorten(value.is_string() ? value.get<std::string>() : dump_json(value), kLongest);
}

// "temperature 0.0 / 1.5", A's value first; of an object each field that differs.
void add_difference(const std::string& name, const Json& a, const Json& b, std::vector<std::string>& parts) {
  if (a == b) return;
  if (!a.is_object() || !b.is_object()) {
    parts.push_back(fmt::format("{} {} / {}", name, shown(a), shown(b)));
    return;
  }
  for (const auto& [key, value] : a.items()) add_difference(key, value, b.value(key, Json()), parts);
  for (const auto& [key, value] : b.items())
    if (!a.contains(key)) add_difference(key, Json(), value, parts);
}

// In what the runs differ that the task allows, as one sentence, or "".
std::string settings_note(const Json& a, const Json& b) {
  std::vector<std::string> parts;
  for (const char* key : {"scorer", "shot_pool", "style", "options", "turn_max_tokens", "repeats",
                          "task_params", "model_options"})
    add_difference(key, a.at(key), b.at(key), parts);
  if (a.at("dataset").at("sha256") != b.at("dataset").at("sha256")) parts.emplace_back("dataset");
  if (parts.empty()) return "";
  return (a.at("model") == b.at("model") ? "the runs differ in " : "besides the model the runs differ in ") +
         join(parts, ", ");
}

// A page says of each run itself that it is not complete.
std::vector<std::string> notes_of(const ScoredRun& a, const ScoredRun& b, Incomparable incomparable) {
  std::vector<std::string> notes;
  for (const ScoredRun* side : {&a, &b}) {
    if (was_decided(side->run)) {
      notes.push_back(
          fmt::format("run {} was stopped once decided, which the tests here do not know of; the p "
                      "that holds is in its own note",
                      number(side->run.id)));
    } else if (incomparable != Incomparable::kNote && side->run.status != RunStatus::kComplete) {
      notes.push_back(fmt::format("run {} is {}; `micius resume {}` goes on", number(side->run.id),
                                  name_of(side->run.status), number(side->run.id)));
    }
  }
  std::string settings = settings_note(spec_json(a.run.spec), spec_json(b.run.spec));
  if (!settings.empty()) notes.push_back(std::move(settings));
  return notes;
}

ComparedRun compared_run(const Sides& sides, std::size_t side, std::size_t pairs) {
  const ScoredRun& run = sides.runs[side];
  return {run.run.id, run.place, sides.labels[side], {}, run.samples.size() - pairs, run.not_scored};
}

Paired paired_values(const ScoredRun& a, const ScoredRun& b, const Pairs& pairs) {
  Paired paired;
  std::vector<const Sample*> samples;
  for (const auto& [i, j] : pairs) {
    paired.a.push_back(a.samples[i].value);
    paired.b.push_back(b.samples[j].value);
    paired.difference.push_back(paired.a.back() - paired.b.back());
    samples.push_back(&a.samples[i].sample);
  }
  paired.clusters = clusters_of(a.run.spec.cluster, samples);
  return paired;
}

// Who won, and on which samples the two differ.
void add_flips(const ScoredRun& a, const ScoredRun& b, const Pairs& pairs, Comparison& result) {
  const double sign = a.metric.direction == Direction::kHigherIsBetter ? 1 : -1;
  for (const auto& [i, j] : pairs) {
    const ScoredSample &x = a.samples[i], &y = b.samples[j];
    const double gap = sign * (x.value - y.value);
    ++(gap > 0 ? result.wins.win : gap < 0 ? result.wins.loss : result.wins.tie);
    result.a_won_unanswered += gap > 0 && y.verdict == Verdict::kNoAnswer;
    result.b_won_unanswered += gap < 0 && x.verdict == Verdict::kNoAnswer;
    if (gap != 0)
      result.flips.push_back({x.sample.id, x.value, y.value, x.verdict, y.verdict, x.answer, y.answer});
  }
}

std::string who(const ScoredRun& a, const ScoredRun& b) {
  return fmt::format("runs {} and {} of {}", number(a.run.id), number(b.run.id), a.run.spec.task);
}

// Absent without a pair.
std::optional<Comparison> compare_two(const Sides& sides, std::size_t other, const CompareOptions& options) {
  const ScoredRun &a = sides.runs.front(), &b = sides.runs[other];
  const Pairs pairs = pair_samples(a, b);
  if (pairs.empty()) return std::nullopt;
  Comparison result;
  result.forced = obstacles(a, b, pairs);
  if (!result.forced.empty() && options.incomparable == Incomparable::kRefuse)
    fail(ErrorCode::kUndecided, "{} are not comparable: {}; --force compares them all the same", who(a, b),
         join(result.forced, "; "));
  const Paired paired = paired_values(a, b, pairs);
  result.task = sides.task;
  result.metric = a.metric;
  result.a = compared_run(sides, 0, pairs.size());
  result.b = compared_run(sides, other, pairs.size());
  result.a.estimate = side_estimate(paired.a, paired, a.metric);
  result.b.estimate = side_estimate(paired.b, paired, a.metric);
  result.samples = pairs.size();
  std::tie(result.difference, result.interval) = difference_of(paired);
  result.bootstrap = bootstrap_of(paired, sides.task, options.bootstrap);
  if (is_binary(paired)) {
    const PairedCounts counts = counts_of(paired);
    result.counts = {counts.both, counts.only_a, counts.only_b, counts.neither};
  }
  result.tests = tests_of(paired, sides.task);
  result.detectable = detectable_of(paired, result.difference);
  add_flips(a, b, pairs, result);
  if (options.groups) result.groups = groups_of(a, pairs, paired);
  result.notes = notes_of(a, b, options.incomparable);
  return result;
}

// Which of the runs a page has nothing to compare: the only ones of their task, and those of a metric that
// cannot be paired. They are skipped in place, so that the others keep theirs.
std::vector<RunId> pairable(const Store& store, std::vector<RunId> runs) {
  std::map<std::string, std::size_t> uses;
  std::vector<std::string> tasks;
  for (RunId& id : runs) {
    const RunSpec spec = store.run(id).spec;
    tasks.push_back(spec.task);
    if (is_comparable(spec)) {
      ++uses[spec.task];
    } else {
      id = kSkipped;
    }
  }
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (uses[tasks[i]] < 2) runs[i] = kSkipped;
  return runs;
}

// The runs by task, each with its values.
std::vector<Sides> read_sides(const Store& store, const std::vector<RunId>& runs, const std::string& metric) {
  std::vector<Sides> all;
  for (std::size_t place = 0; place < runs.size(); ++place) {
    if (runs[place] == kSkipped) continue;
    ScoredRun run = read_scored_run(store, runs[place], metric);
    run.place = place;
    const std::string& task = run.run.spec.task;
    auto it = std::find_if(all.begin(), all.end(), [&](const Sides& sides) { return sides.task == task; });
    if (it == all.end()) it = all.insert(all.end(), Sides{task, {}, {}});
    it->runs.push_back(std::move(run));
  }
  return all;
}

// A model's name, with the run where the task has several of that name.
void set_labels(Sides& sides) {
  std::map<std::string, int> uses;
  for (const ScoredRun& run : sides.runs) ++uses[run.run.spec.model.name];
  for (const ScoredRun& run : sides.runs) {
    const std::string& name = run.run.spec.model.name;
    sides.labels.push_back(uses[name] == 1 ? name : fmt::format("{} (run {})", name, number(run.run.id)));
  }
}

// Sides that a first task has in another order are brought into its order, so that A is the same model
// throughout.
void align(std::vector<Sides>& all) {
  std::vector<std::string> order;
  for (const Sides& sides : all)
    for (const ScoredRun& run : sides.runs) order.push_back(run.run.spec.model.name);
  const auto place = [&](const ScoredRun& run) {
    return std::find(order.begin(), order.end(), run.run.spec.model.name);
  };
  for (Sides& sides : all)
    std::stable_sort(sides.runs.begin(), sides.runs.end(),
                     [&](const ScoredRun& x, const ScoredRun& y) { return place(x) < place(y); });
}

void adjust(std::vector<Comparison>& comparisons) {
  for (std::size_t t = 0; t < 2; ++t) {  // the tests that decide are one family, those beside them another
    PValues p;
    for (const Comparison& c : comparisons)
      p.push_back(t < c.tests.size() ? std::optional(c.tests[t].p) : std::nullopt);
    const PValues adjusted = holm(p);
    for (std::size_t i = 0; i < comparisons.size(); ++i)
      if (adjusted[i]) comparisons[i].tests[t].p_adjusted = *adjusted[i];
  }
  for (Comparison& c : comparisons)
    c.finding = finding_of(c.tests.front().p_adjusted, c.difference.value, c.metric.direction);
}

// The samples that all sides have, as indices of the first one's, and the scores of each side, higher is
// better.
std::pair<std::vector<std::size_t>, std::vector<std::vector<double>>> common_scores(const Sides& sides) {
  std::vector<std::size_t> common;
  std::vector<std::vector<double>> scores(sides.runs.size());
  const ScoredRun& first = sides.runs.front();
  const double sign = first.metric.direction == Direction::kHigherIsBetter ? 1 : -1;
  for (std::size_t i = 0; i < first.samples.size(); ++i) {
    const std::string& id = first.samples[i].sample.id;
    if (!std::all_of(sides.runs.begin(), sides.runs.end(),
                     [&](const ScoredRun& run) { return run.find(id); }))
      continue;
    common.push_back(i);
    for (std::size_t m = 0; m < scores.size(); ++m) scores[m].push_back(sign * sides.runs[m].find(id)->value);
  }
  return {common, scores};
}

bool have_one_metric(const Sides& sides) {
  return std::all_of(sides.runs.begin(), sides.runs.end(), [&](const ScoredRun& run) {
    return is_same_metric(run.metric, sides.runs.front().metric);
  });
}

WinTieLoss wins_of(const std::vector<double>& a, const std::vector<double>& b) {
  WinTieLoss result;
  for (std::size_t i = 0; i < a.size(); ++i)
    ++(a[i] > b[i] ? result.win : a[i] < b[i] ? result.loss : result.tie);
  return result;
}

League league_of(const Sides& sides) {
  const auto [common, scores] = common_scores(sides);
  League league{sides.task, sides.runs.front().metric.name, common.size(), sides.labels, {}, {}, {}};
  for (const ScoredRun& run : sides.runs) league.places.push_back(run.place);
  for (const auto& a : scores) {
    league.table.emplace_back();
    for (const auto& b : scores) league.table.back().push_back(wins_of(a, b));
  }
  std::vector<const Sample*> samples;
  for (const std::size_t i : common) samples.push_back(&sides.runs.front().samples[i].sample);
  const auto strengths =
      bradley_terry_of_scores(scores, clusters_of(sides.runs.front().run.spec.cluster, samples));
  if (!strengths) return league;
  for (std::size_t side = 0; side < scores.size(); ++side) {
    const double strength = strengths->strength[side], error = strengths->stderr_[side];
    league.ranking.push_back({side, strength, error, elo(strength), elo(strength - kNormal95 * error),
                              elo(strength + kNormal95 * error)});
  }
  std::stable_sort(league.ranking.begin(), league.ranking.end(),
                   [](const auto& x, const auto& y) { return x.strength > y.strength; });
  return league;
}

}  // namespace

ComparisonSet compare(const Store& store, const std::vector<RunId>& runs, const CompareOptions& options) {
  const bool notes_only = options.incomparable == Incomparable::kNote;
  std::vector<Sides> all = read_sides(store, notes_only ? pairable(store, runs) : runs, options.metric);
  align(all);
  ComparisonSet set;
  for (Sides& sides : all) {
    set_labels(sides);
    if (sides.runs.size() < 2)
      set.notes.push_back(fmt::format("{}: only {} has it, so there is nothing to compare it with",
                                      sides.task, sides.labels.front()));
    for (std::size_t other = 1; other < sides.runs.size(); ++other) {
      auto comparison = compare_two(sides, other, options);
      if (comparison) {
        set.comparisons.push_back(std::move(*comparison));
        continue;
      }
      if (!notes_only)
        fail(ErrorCode::kUndecided, "{} have no scored sample in common",
             who(sides.runs.front(), sides.runs[other]));
      set.notes.push_back(fmt::format("{}: {} and {} have no scored sample in common", sides.task,
                                      sides.labels.front(), sides.labels[other]));
    }
    if (sides.runs.size() > 2 && have_one_metric(sides)) set.leagues.push_back(league_of(sides));
    if (!set.leagues.empty() && set.leagues.back().samples == 0) set.leagues.pop_back();
  }
  if (set.comparisons.empty() && !notes_only) {
    std::vector<std::string> what;
    for (const Sides& sides : all)
      what.push_back(fmt::format("run {} is of {}", number(sides.runs.front().run.id), sides.task));
    fail(ErrorCode::kUsage, "no two of these runs are of one task: {}", join(what, ", "));
  }
  adjust(set.comparisons);
  return set;
}

std::optional<Comparison> compare_pair(const Store& store, RunId a, RunId b, const CompareOptions& options) {
  std::vector<Sides> all = read_sides(store, {a, b}, options.metric);
  if (all.size() != 1) fail(ErrorCode::kUsage, "runs {} and {} are of two tasks", number(a), number(b));
  set_labels(all.front());
  return compare_two(all.front(), 1, options);
}

}  // namespace micius
