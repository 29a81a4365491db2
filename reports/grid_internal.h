// The tasks and models of a report.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/report.h"

namespace micius {

// What is compared with what: rows are tasks, columns are models. A second run of the same task on the same
// model is a column of its own.
class Grid {
 public:
  explicit Grid(const ReportSet& set);

  const std::vector<std::string>& tasks() const { return tasks_; }
  const std::vector<std::string>& models() const { return models_; }  // how a column is headed
  std::optional<std::size_t> report_at(std::size_t task, std::size_t model) const;
  std::size_t model_of(std::size_t report) const { return model_of_report_[report]; }
  const Report& report(std::size_t index) const { return set_.reports[index]; }
  const ReportSet& set() const { return set_; }

 private:
  const ReportSet& set_;
  std::vector<std::string> tasks_, models_;
  std::vector<std::size_t> model_of_report_;
  std::vector<std::vector<std::optional<std::size_t>>> cells_;  // [task][model]
};

// The comparisons with the grid's names of the models, which hold no run's number in a stable report.
ComparisonSet named_comparisons(const Grid& grid);

}  // namespace micius
