#include "pipeline/best.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "pipeline/compare.h"

namespace micius {
namespace {

// Higher is better.
double worth(const Report& report) {
  const Metric& metric = report.metrics.front();
  return metric.direction == Direction::kHigherIsBetter ? metric.estimate->value : -metric.estimate->value;
}

}  // namespace

ComparisonSet against_best(const Store& store, const std::vector<RunId>& runs,
                           const std::vector<Report>& reports) {
  std::map<std::string, std::vector<std::size_t>> by_task;
  for (std::size_t i = 0; i < reports.size(); ++i)
    if (!reports[i].metrics.empty() && reports[i].metrics.front().estimate)
      by_task[reports[i].spec.task].push_back(i);
  CompareOptions options;
  options.incomparable = Incomparable::kNote;
  ComparisonSet all;
  for (auto& [task, places] : by_task) {
    if (places.size() < 2) continue;
    std::stable_sort(places.begin(), places.end(),
                     [&](std::size_t a, std::size_t b) { return worth(reports[a]) > worth(reports[b]); });
    std::vector<RunId> ordered;
    for (const std::size_t place : places) ordered.push_back(runs[place]);
    for (Comparison& comparison : compare(store, ordered, options).comparisons) {
      comparison.a.place = places[comparison.a.place];
      comparison.b.place = places[comparison.b.place];
      all.comparisons.push_back(std::move(comparison));
    }
  }
  return all;
}

}  // namespace micius
