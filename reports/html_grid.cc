#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/text.h"
#include "reports/html_internal.h"
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

}  // namespace

std::string html(std::string_view text) {
  std::string result;
  for (const char c : visible_text(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&#39;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

std::string slug(std::string_view text) {
  std::string result;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    result += plain ? c : '-';
  }
  return result;
}

Grid::Grid(const ReportSet& set) : set_(set) {
  std::map<std::pair<std::string, std::string>, int> seen;
  std::vector<std::size_t> task_of_report;
  for (const Report& report : set.reports) {
    const std::string model = model_text(report.spec.model);
    const int earlier = seen[{report.spec.task, model}]++;
    const std::string column = earlier == 0 ? model : fmt::format("{}, run {}", model, earlier + 1);
    task_of_report.push_back(index_of(tasks_, report.spec.task));
    model_of_report_.push_back(index_of(models_, column));
  }
  cells_.assign(tasks_.size(), std::vector<std::optional<std::size_t>>(models_.size()));
  for (std::size_t i = 0; i < set.reports.size(); ++i) cells_[task_of_report[i]][model_of_report_[i]] = i;
}

std::optional<std::size_t> Grid::report_at(std::size_t task, std::size_t model) const {
  return cells_[task][model];
}

}  // namespace micius
