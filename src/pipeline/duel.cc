#include "pipeline/duel.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "core/group_keys.h"

namespace micius {
namespace {

void check_comparable(const ScoredRun& held, const RunSpec& run) {
  const RunSpec& baseline = held.run.spec;
  const MetricInfo& metric = held.metric;
  const auto refuse = [&](const std::string& why) {
    fail(ErrorCode::kUndecided, "{} cannot be held against run {}, the baseline: {}", run.task,
         static_cast<std::int64_t>(held.run.id), why);
  };
  if (baseline.task_version != run.task_version)
    refuse(fmt::format("task version {} against the baseline's {}", run.task_version, baseline.task_version));
  if (baseline.shots != run.shots)
    refuse(fmt::format("{} shots against the baseline's {}", run.shots, baseline.shots));
  if (baseline.dataset.sha256 != run.dataset.sha256) refuse("the data file is another one");
  const bool measures = std::any_of(run.metrics.begin(), run.metrics.end(),
                                    [&](const MetricInfo& own) { return is_same_metric(own, metric); });
  if (!measures)
    refuse(fmt::format("the metric is {} against the baseline's {}",
                       run.metrics.empty() ? "none" : run.metrics.front().name, metric.name));
}

bool is_binary(const ScoredRun& run) {
  return std::all_of(run.samples.begin(), run.samples.end(),
                     [](const ScoredSample& sample) { return sample.value == 0 || sample.value == 1; });
}

}  // namespace

Duel::Duel(ScoredRun baseline, const Plan& plan, double alpha)
    : baseline_(std::move(baseline)),
      value_name_(baseline_.metric.of.empty() ? baseline_.metric.name : baseline_.metric.of),
      repeats_(plan.spec.repeats),
      alpha_(alpha),
      sign_(baseline_.metric.direction == Direction::kHigherIsBetter ? 1 : -1),
      means_(alpha) {
  if (baseline_.metric.unit != "fraction" || baseline_.metric.k != 1)
    fail(ErrorCode::kUnsupported, "{} is judged by '{}', which is no mean of fractions; run it to its end",
         plan.spec.task, baseline_.metric.name);
  check_comparable(baseline_, plan.spec);
  make_units(plan);
}

void Duel::make_units(const Plan& plan) {
  std::unordered_map<std::string, std::size_t> clusters;
  bool shared = false;
  std::vector<Unit> units;
  std::vector<std::size_t> last;  // member of each unit
  for (const std::size_t index : plan.chosen) {
    const Sample& sample = plan.samples[index];
    const ScoredSample* other = baseline_.find(sample.id);
    if (other == nullptr) continue;
    if (!same_content(other->sample, sample))
      fail(ErrorCode::kUndecided, "sample '{}' of {} is another one than the baseline's", sample.id,
           plan.spec.task);
    const std::set<std::string> keys =
        plan.spec.cluster.empty() ? std::set<std::string>() : group_keys(sample, plan.spec.cluster);
    std::size_t unit = units.size();
    if (!keys.empty()) unit = clusters.try_emplace(*keys.begin(), unit).first->second;
    shared = shared || unit < units.size();
    if (unit == units.size()) units.emplace_back(), last.push_back(0);
    member_of_.emplace(sample.id, ids_.size());
    units[unit].members.push_back(ids_.size());
    units[unit].open += static_cast<std::size_t>(repeats_);
    last[unit] = ids_.size();
    ids_.push_back(sample.id);
  }
  members_.resize(ids_.size());
  unit_of_.resize(ids_.size());
  std::vector<std::size_t> order(units.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return last[a] < last[b]; });
  for (const std::size_t unit : order) {
    for (const std::size_t member : units[unit].members) unit_of_[member] = units_.size();
    units_.push_back(std::move(units[unit]));
  }
  by_counts_ = !shared && repeats_ == 1 && is_binary(baseline_);
}

void Duel::add(const Record& record) {
  const auto it = member_of_.find(record.sample.id);
  if (it == member_of_.end()) return;
  Member& member = members_[it->second];
  Unit& unit = units_[unit_of_[it->second]];
  if (member.records == repeats_) return;  // a failed one that was asked again
  ++member.records;
  --unit.open;
  for (const Value& value : record.score.values) {
    if (value.metric != value_name_) continue;
    member.sum += value.value;
    ++member.values;
  }
  for (; next_unit_ < units_.size() && units_[next_unit_].open == 0; ++next_unit_) {
    take(units_[next_unit_]);
    decide();
  }
}

void Duel::take(const Unit& unit) {
  double sum = 0;
  std::size_t scored = 0;
  for (const std::size_t place : unit.members) {
    const Member& member = members_[place];
    if (member.values == 0) continue;
    sum += member.sum / member.values - baseline_.find(ids_[place])->value;
    ++scored;
  }
  if (scored == 0) return;
  samples_ += scored;
  difference_sum_ += sum;
  means_.add(std::clamp(sum / static_cast<double>(scored), -1.0, 1.0));
  if (by_counts_) {
    wins_ += sum > 0 ? 1 : sum < 0 ? -1 : 0;
    counts_.add(sum > 0   ? MixtureSprt::Pair::kOnlyA
                : sum < 0 ? MixtureSprt::Pair::kOnlyB
                          : MixtureSprt::Pair::kSame);
  }
}

void Duel::decide() {
  if (samples_ == 0 || decision_) return;
  Decision decision;
  decision.samples = samples_;
  decision.difference = difference_sum_ / static_cast<double>(samples_);
  double direction = decision.difference;
  if (by_counts_) {
    if (!counts_.rejects(alpha_) || !agrees()) return;
    decision.p = counts_.p();
  } else {
    const Interval interval = means_.running();
    if (interval.low <= 0 && interval.high >= 0) return;
    decision.interval = interval;
    direction = interval.low > 0 ? 1 : -1;
  }
  decision.is_better = sign_ * direction > 0;
  decision_ = decision;
}

// Grades may win more often and yet be worse on the mean, which is what is reported: then the count of wins
// is no evidence of it.
bool Duel::agrees() const { return static_cast<double>(wins_) * difference_sum_ > 0; }

Standing Duel::standing() const {
  Standing result;
  result.samples = samples_;
  if (samples_ > 0) result.difference = difference_sum_ / static_cast<double>(samples_);
  if (by_counts_) result.p = agrees() ? counts_.p() : 1;
  result.interval = means_.running();
  return result;
}

bool was_decided(const Run& run) {
  const std::vector<std::string>& notes = run.spec.notes;
  return run.status == RunStatus::kStopped && std::any_of(notes.begin(), notes.end(), [](const auto& note) {
           return note.starts_with(kDecidedNote);
         });
}

}  // namespace micius
