#include "pipeline/early_evidence.h"

#include <cmath>
#include <unordered_map>
#include <utility>

#include "pipeline/duel.h"

namespace micius {
namespace {

// What the run was to do, as far as the baseline knows the samples: the others do not count. Those that were
// asked are the run's own, so that another content is found.
Plan plan_of(const Store& store, const ScoredRun& baseline, const Run& run) {
  std::unordered_map<std::string, Sample> asked;
  store.for_each_score(run.id,
                       [&](const Record& record) { asked.try_emplace(record.sample.id, record.sample); });
  Plan plan;
  plan.spec = run.spec;
  for (const std::string& id : run.spec.sample_ids) {
    const ScoredSample* known = baseline.find(id);
    if (known == nullptr) continue;
    const auto own = asked.find(id);
    plan.chosen.push_back(plan.samples.size());
    plan.samples.push_back(own == asked.end() ? known->sample : own->second);
  }
  return plan;
}

}  // namespace

EarlyEvidence early_evidence(const Store& store, RunId baseline, const Run& run, const std::string& metric,
                             double level) {
  ScoredRun before = read_scored_run(store, baseline, metric);
  const Plan plan = plan_of(store, before, run);
  Duel at_level(before, plan, level), at_95(std::move(before), plan, 0.05);
  store.for_each_score(run.id, [&](const Record& record) {
    at_level.add(record);
    at_95.add(record);
  });
  const Standing standing = at_95.standing();
  // Rejected at the level: below it by a hair, so that level times the number of tests is not above alpha.
  const double p = standing.p ? *standing.p : at_level.decision() ? std::nextafter(level, 0.0) : 1;
  return {standing.samples, run.spec.sample_ids.size(), standing.difference, p, standing.interval};
}

}  // namespace micius
