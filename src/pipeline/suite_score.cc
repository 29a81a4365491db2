#include "pipeline/suite_score.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace micius {
namespace {

constexpr double kNormal95 = 1.959963984540054;

const Metric* scored_primary(const Report& report) {
  return report.metrics.empty() || !report.metrics.front().estimate ? nullptr : &report.metrics.front();
}

std::optional<std::size_t> last_run(std::span<const Report> reports, const ModelRef& model,
                                    const std::string& task) {
  for (std::size_t i = reports.size(); i-- > 0;) {
    const RunSpec& spec = reports[i].spec;
    if (spec.task == task && spec.model == model && scored_primary(reports[i]) != nullptr) return i;
  }
  return std::nullopt;
}

std::optional<Aggregate> score_of(std::span<const Report> reports, const ModelRef& model,
                                  const std::string& suite, const std::vector<std::string>& tasks) {
  Aggregate aggregate{suite, model.name, {}, {}};
  const auto count = static_cast<double>(tasks.size());
  Estimate mean;
  double variance = 0;
  bool has_error = true;
  for (const std::string& task : tasks) {
    const auto run = last_run(reports, model, task);
    if (!run) return std::nullopt;
    aggregate.reports.push_back(*run);
    const Estimate& e = *scored_primary(reports[*run])->estimate;
    mean.value += e.value / count;
    mean.n += e.n;
    has_error = has_error && e.stderr_.value_or(0) > 0;
    variance += std::pow(e.stderr_.value_or(0) / count, 2);
  }
  if (has_error) {
    mean.stderr_ = std::sqrt(variance);
    mean.low = std::max(0.0, mean.value - kNormal95 * *mean.stderr_);
    mean.high = std::min(1.0, mean.value + kNormal95 * *mean.stderr_);
  }
  Metric metric;
  metric.name = "suite_score";
  metric.unit = "fraction";
  metric.primary = true;
  metric.estimate = mean;
  aggregate.metrics.push_back(std::move(metric));
  return aggregate;
}

}  // namespace

std::vector<Aggregate> suite_scores(std::span<const Report> reports, const std::string& suite,
                                    const std::vector<std::string>& tasks) {
  std::vector<Aggregate> result;
  std::vector<ModelRef> seen;
  for (const Report& report : reports) {
    const ModelRef& model = report.spec.model;
    if (std::find(seen.begin(), seen.end(), model) != seen.end()) continue;
    seen.push_back(model);
    if (auto score = score_of(reports, model, suite, tasks)) result.push_back(*std::move(score));
  }
  return result;
}

}  // namespace micius
