#include <algorithm>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "reports/grid_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

// The index of `name`, which is added if it is new.
std::size_t index_of(std::vector<std::string>& names, const std::string& name) {
  const auto it = std::find(names.begin(), names.end(), name);
  if (it != names.end()) return static_cast<std::size_t>(it - names.begin());
  names.push_back(name);
  return names.size() - 1;
}

// "run 13", "runs 13, 15" or "runs 13 to 29": the numbers of a column's runs; "2" for the second column of a
// stable report.
std::string column_runs(const ReportSet& set, const std::vector<std::size_t>& reports, std::size_t ordinal) {
  constexpr std::size_t kListed = 3;
  std::vector<std::string> ids;
  for (const std::size_t report : reports)
    if (const auto& execution = set.reports[report].execution)
      ids.push_back(fmt::format("{}", static_cast<std::int64_t>(execution->id)));
  if (ids.empty()) return fmt::format("{}", ordinal);
  if (ids.size() == 1) return "run " + ids.front();
  return "runs " + (ids.size() <= kListed ? join(ids, ", ") : ids.front() + " to " + ids.back());
}

}  // namespace

Grid::Grid(const ReportSet& set) : set_(set) {
  std::map<std::pair<std::string, std::string>, std::size_t> seen;
  std::map<std::string, std::vector<std::size_t>> columns_of_model;
  std::vector<std::size_t> task_of_report;
  std::vector<std::vector<std::size_t>> reports_of_column;
  for (std::size_t i = 0; i < set.reports.size(); ++i) {
    const RunSpec& spec = set.reports[i].spec;
    const std::string model = model_text(spec.model);
    std::vector<std::size_t>& columns = columns_of_model[model];
    const std::size_t earlier = seen[{spec.task, model}]++;
    if (earlier == columns.size()) {
      columns.push_back(models_.size());
      models_.push_back(model);
      reports_of_column.emplace_back();
    }
    task_of_report.push_back(index_of(tasks_, spec.task));
    model_of_report_.push_back(columns[earlier]);
    reports_of_column[columns[earlier]].push_back(i);
  }
  for (const auto& [model, columns] : columns_of_model) {
    for (std::size_t i = 0; columns.size() > 1 && i < columns.size(); ++i)
      models_[columns[i]] = model + ", " + column_runs(set, reports_of_column[columns[i]], i + 1);
  }
  cells_.assign(tasks_.size(), std::vector<std::optional<std::size_t>>(models_.size()));
  for (std::size_t i = 0; i < set.reports.size(); ++i) cells_[task_of_report[i]][model_of_report_[i]] = i;
}

std::optional<std::size_t> Grid::report_at(std::size_t task, std::size_t model) const {
  return cells_[task][model];
}

ComparisonSet named_comparisons(const Grid& grid) {
  const auto name = [&](std::size_t place) { return grid.models()[grid.model_of(place)]; };
  ComparisonSet set = grid.set().comparisons;
  for (Comparison& c : set.comparisons) {
    c.a.label = name(c.a.place);
    c.b.label = name(c.b.place);
  }
  for (League& league : set.leagues)
    for (std::size_t side = 0; side < league.labels.size(); ++side)
      league.labels[side] = name(league.places[side]);
  return set;
}

}  // namespace micius
