#include "cli/enqueue.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/error.h"
#include "cli/dry_run.h"
#include "cli/flags.h"
#include "cli/reopen.h"

namespace micius {

void add_queue_flags(Flags& flags, QueueFlags& values) {
  flags.add("--enqueue", values.enqueue,
            "Ask nothing: leave the runs in the database for `micius worker` (docs/scaling.md)");
  flags.add("--lease-tokens", values.lease_tokens, "About what a worker takes at once, with --enqueue")
      .at_least(1)
      .type("N")
      .show_default();
}

std::vector<WorkRange> cut_work(std::span<const std::int64_t> tokens, std::int64_t lease_tokens) {
  constexpr std::size_t kMostSamples = 256;
  std::vector<WorkRange> ranges;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool fits = !ranges.empty() && ranges.back().tokens + tokens[i] <= lease_tokens &&
                      i - ranges.back().first < kMostSamples;
    if (!fits) ranges.push_back({i, i, 0});
    ranges.back().end = i + 1;
    ranges.back().tokens += tokens[i];
  }
  return ranges;
}

std::string enqueue(SqlStore& store, RunId run, const PlannedTask& planned, const QueueFlags& flags,
                    const ApiSettings& remote) {
  const Plan& plan = planned.plan;
  std::vector<std::int64_t> tokens;
  std::vector<const Sample*> samples;
  for (const std::size_t index : plan.chosen) {
    const SampleTokens of_sample = tokens_of_sample(planned.task, plan, index);
    tokens.push_back((of_sample.prompt + of_sample.completion) * plan.spec.repeats);
    samples.push_back(&plan.samples[index]);
  }
  const std::vector<WorkRange> ranges = cut_work(tokens, flags.lease_tokens);
  ModelLimits limits;
  if (is_remote_model(plan.spec.model_source)) {
    limits = {plan.spec.model_source, remote.requests_per_minute, remote.tokens_per_minute,
              remote.budget_usd};
  }
  WorkQueue(store, kDefaultLease).add(run, {model_key(plan.spec), ranges, samples, limits});
  return fmt::format("run {}: {} on {}, {} samples in {} leases", static_cast<std::int64_t>(run),
                     plan.spec.task, plan.spec.model.name, samples.size(), ranges.size());
}

std::optional<RunId> unfinished_run(const SqlStore& store, const RunSpec& spec, const QueueFlags& flags,
                                    const PlaceFlags& places) {
  const std::string wanted = spec_sha256(spec);
  const std::set<RunId> queued = queued_runs(store);
  for (const Run& run : store.runs()) {
    if (run.status == RunStatus::kComplete || spec_sha256(run.spec) != wanted) continue;
    if (is_batch_run(run.spec) != is_batch_run(spec)) continue;  // its answers have another price
    if (!flags.enqueue && queued.count(run.id) != 0) fail_queued(run.id, places);
    return run.id;
  }
  return std::nullopt;
}

void fail_queued(RunId run, const PlaceFlags& places) {
  fail(ErrorCode::kUsage,
       "run {} is in the queue: `micius worker{}` does it, `micius status{}` says how far it is",
       static_cast<std::int64_t>(run), place_words(places), database_words(places));
}

}  // namespace micius
