// A table for a paper: booktabs, a row a model, a column a task.
#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "core/report_writer.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr std::size_t kColumns = 6;  // of one tabular; more make another one below it

// No character is markup, and none joins another: "--" would be a dash, "[" behind a row's end a length.
std::string latex_text(std::string_view text) {
  static const std::map<char, std::string_view> kSpecial = {{'\\', "\\textbackslash{}"},
                                                            {'{', "\\{"},
                                                            {'}', "\\}"},
                                                            {'$', "\\$"},
                                                            {'&', "\\&"},
                                                            {'#', "\\#"},
                                                            {'_', "\\_"},
                                                            {'%', "\\%"},
                                                            {'^', "\\textasciicircum{}"},
                                                            {'~', "\\textasciitilde{}"},
                                                            {'<', "\\textless{}"},
                                                            {'>', "\\textgreater{}"},
                                                            {'|', "\\textbar{}"},
                                                            {'[', "{[}"},
                                                            {'*', "{*}"},
                                                            {'-', "{-}"},
                                                            {'`', "{`}"},
                                                            {'\'', "{'}"},
                                                            {'"', "{''}"}};
  std::string result;
  for (const char c : visible_line(text)) {
    const auto it = kSpecial.find(c);
    if (it == kSpecial.end()) {
      result += c;
    } else {
      result += it->second;
    }
  }
  return result;
}

// One figure of the table.
struct Cell {
  const Metric* metric = nullptr;  // null: the model did not do the task
  bool is_best = false;
};

struct TableColumn {
  std::string task, metric, unit;
  std::map<std::string, Cell> cells;  // by row
};

// The rows, in the order in which models come: a model's name, with a number where it has several runs of a
// task.
std::vector<std::string> labels_of(const ReportSet& set) {
  std::vector<std::string> labels;
  std::map<std::string, int> uses;
  for (const Report& report : set.reports) {
    const std::string model = model_text(report.spec.model);
    const int use = ++uses[report.spec.task + "\n" + model];
    labels.push_back(use == 1 ? model : fmt::format("{} ({})", model, use));
  }
  return labels;
}

// Better than every other run of its task, by the comparisons that are given.
bool is_best(const ReportSet& set, std::size_t index) {
  const std::string& task = set.reports[index].spec.task;
  std::size_t runs = 0, beaten = 0;
  for (const Report& report : set.reports) runs += report.spec.task == task;
  for (const Comparison& c : set.comparisons.comparisons) {
    beaten += c.a.place == index && c.finding == Finding::kABetter && c.forced.empty();
    beaten += c.b.place == index && c.finding == Finding::kBBetter && c.forced.empty();
  }
  return runs > 1 && beaten == runs - 1;
}

TableColumn& column_for(std::vector<TableColumn>& columns, const std::string& task, const Metric& metric) {
  const auto it = std::find_if(columns.begin(), columns.end(), [&](const TableColumn& column) {
    return column.task == task && column.metric == metric.name;
  });
  if (it != columns.end()) return *it;
  columns.push_back({task, metric.name, metric.unit, {}});
  return columns.back();
}

std::vector<TableColumn> columns_of(const ReportSet& set, const std::vector<std::string>& labels) {
  std::vector<TableColumn> columns;
  for (std::size_t i = 0; i < set.reports.size(); ++i)
    if (const Metric* metric = primary_of(set.reports[i]))
      column_for(columns, set.reports[i].spec.task, *metric).cells[labels[i]] = {metric, is_best(set, i)};
  for (const Aggregate& aggregate : set.aggregates) {
    if (aggregate.metrics.empty() || aggregate.reports.empty()) continue;
    const Metric& metric = aggregate.metrics.front();
    column_for(columns, aggregate.name, metric).cells[labels[aggregate.reports.front()]] = {&metric, false};
  }
  return columns;
}

std::string cell_text(const Cell& cell) {
  if (cell.metric == nullptr || !cell.metric->estimate) return "--";
  const Metric& metric = *cell.metric;
  std::string value = number_text(metric.estimate->value, metric.unit);
  if (cell.is_best) value = "\\textbf{" + value + "}";
  if (!metric.estimate->low) return value;
  return fmt::format("{} {{\\scriptsize [{}]}}", value, interval_text(metric, ", "));
}

void write_tabular(const std::vector<std::string>& rows, const std::vector<TableColumn>& columns,
                   std::ostream& out) {
  out << "\\begin{tabular}{l" << std::string(columns.size(), 'r') << "}\n\\toprule\n";
  for (const TableColumn& column : columns) out << " & " << latex_text(column.task);
  out << " \\\\\nModel";
  for (const TableColumn& column : columns)
    out << " & " << latex_text(column.metric)
        << (column.unit == "fraction" ? " (\\%)"
            : column.unit.empty()     ? ""
                                      : " (" + latex_text(column.unit) + ")");
  out << " \\\\\n\\midrule\n";
  for (const std::string& row : rows) {
    out << latex_text(row);
    for (const TableColumn& column : columns) {
      const auto it = column.cells.find(row);
      out << " & " << cell_text(it == column.cells.end() ? Cell{} : it->second);
    }
    out << " \\\\\n";
  }
  out << "\\bottomrule\n\\end{tabular}\n";
}

void write_comments(const ReportSet& set, std::ostream& out) {
  out << "% \\usepackage{booktabs}. In brackets: 95 % intervals. Bold: better than every other model of its\n"
         "% column (paired tests over the same samples, Holm over the column, p <= 0.05).\n";
  for (const Report& report : set.reports) {
    const std::string who = visible_line(report.spec.task + ", " + model_text(report.spec.model));
    const Metric* primary = primary_of(report);
    if (primary != nullptr && primary->estimate)
      out << "% " << who << ": n = " << primary->estimate->n << '\n';
    for (const std::string& note : notes_of(report)) out << "% " << who << ": " << visible_line(note) << '\n';
  }
}

class LatexWriter final : public ReportWriter {
 public:
  std::string_view format() const override { return "latex"; }

  void write(const ReportSet& set, std::ostream& out) const override {
    const std::vector<std::string> labels = labels_of(set);
    std::vector<std::string> rows;
    for (const std::string& label : labels)
      if (std::find(rows.begin(), rows.end(), label) == rows.end()) rows.push_back(label);
    const std::vector<TableColumn> columns = columns_of(set, labels);
    write_comments(set, out);
    for (std::size_t first = 0; first < columns.size(); first += kColumns) {
      if (first > 0) out << "\n\\medskip\n\n";
      const auto begin = columns.begin() + static_cast<std::ptrdiff_t>(first);
      const auto count = std::min(kColumns, columns.size() - first);
      write_tabular(rows, {begin, begin + static_cast<std::ptrdiff_t>(count)}, out);
    }
  }
};

}  // namespace

std::unique_ptr<ReportWriter> make_latex_writer(const ReportStyle&) {
  return std::make_unique<LatexWriter>();
}

}  // namespace micius
