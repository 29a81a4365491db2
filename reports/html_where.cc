// Where is it bad: every metric, what was wrong, then the primary by group as small multiples on one axis.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr std::size_t kRowsInPlot = 24, kRowsInTable = 500, kWorst = 5;

// The runs of one task, each with its model's column.
struct TaskRuns {
  std::vector<std::pair<std::size_t, const Report*>> runs;
};

// One group in every run of the task; null where a run lacks it.
struct GroupRow {
  std::string key;
  std::vector<const Group*> groups;
};

// The groups by one field, in the order in which the runs name them.
struct Breakdown {
  std::string by;
  std::vector<GroupRow> rows;
};

TaskRuns runs_of(const Grid& grid, std::size_t task) {
  TaskRuns result;
  for (std::size_t model = 0; model < grid.models().size(); ++model)
    if (const auto index = grid.report_at(task, model)) result.runs.emplace_back(model, &grid.report(*index));
  return result;
}

std::vector<Breakdown> breakdowns_of(const TaskRuns& task) {
  std::vector<Breakdown> breakdowns;
  std::map<std::string, std::size_t> fields;
  std::map<std::pair<std::string, std::string>, std::size_t> rows;
  for (std::size_t run = 0; run < task.runs.size(); ++run) {
    for (const Group& group : task.runs[run].second->groups) {
      const auto [field, is_new] = fields.try_emplace(group.by, breakdowns.size());
      if (is_new) breakdowns.push_back({group.by, {}});
      auto& list = breakdowns[field->second].rows;
      const auto [row, is_new_key] = rows.try_emplace({group.by, group.key}, list.size());
      if (is_new_key) list.push_back({group.key, std::vector<const Group*>(task.runs.size())});
      list[row->second].groups[run] = &group;
    }
  }
  return breakdowns;
}

const Metric* primary_of_group(const Group* group) {
  return group == nullptr || group->metrics.empty() ? nullptr : &group->metrics.front();
}

Scale scale_of(const Grid& grid) {
  Scale scale("fraction");
  for (const Report& report : grid.set().reports)
    for (const Group& group : report.groups)
      if (!group.metrics.empty()) scale.include(group.metrics.front());
  return scale;
}

std::string number_cells(const Metric* metric) {
  if (metric == nullptr || !metric->estimate)
    return R"(<td class="num none">-</td><td class="num"></td><td class="num count"></td>)";
  return fmt::format(
      R"(<td class="num"><b>{}</b></td><td class="num interval">{}</td><td class="num count">{}</td>)",
      value_text(*metric), interval_text(*metric, "\u2009\u2013\u2009"), metric->estimate->n);
}

void write_number_head(const Grid& grid, const TaskRuns& task, std::string_view first,
                       const std::vector<std::string>& published, std::ostream& out) {
  out << fmt::format(R"(<thead><tr><th rowspan="2" scope="col">{}</th>)", first);
  for (const auto& [model, report] : task.runs)
    out << fmt::format(R"(<th colspan="3" scope="colgroup">{}{}</th>)", key_svg(model),
                       html(grid.models()[model]));
  if (!published.empty())
    out << fmt::format(R"(<th class="published" colspan="{}" scope="colgroup">{}</th>)", published.size(),
                       kPublishedHeading);
  out << "</tr><tr>";
  for (std::size_t i = 0; i < task.runs.size(); ++i)
    out << R"(<th class="num" scope="col">value</th><th class="num" scope="col">95 % interval</th><th class="num count" scope="col">n</th>)";
  for (const std::string& model : published)
    out << fmt::format(R"(<th class="num published" scope="col">{}</th>)", html(model));
  out << "</tr></thead>\n<tbody>\n";
}

void write_metrics(const Grid& grid, const TaskRuns& task, std::ostream& out) {
  const std::vector<Published>& rows = task.runs.front().second->published;
  const std::vector<std::string> published = published_models(rows);
  out << "<details class=\"metrics\" open><summary>All metrics</summary><div class=\"scroll\"><table>";
  write_number_head(grid, task, "metric", published, out);
  for (const Metric& metric : task.runs.front().second->metrics) {
    out << fmt::format(R"(<tr><th scope="row">{}{}</th>)", html(metric.name),
                       metric.primary ? " <small>primary</small>" : "");
    for (const auto& [model, report] : task.runs)
      out << number_cells(find_metric(report->metrics, metric.name));
    for (const std::string& model : published)
      out << fmt::format(R"(<td class="num published">{}</td>)", published_cell(rows, model, metric.name));
    out << "</tr>\n";
  }
  out << "</tbody></table></div></details>\n";
}

void write_plot_row(const TaskRuns& task, const GroupRow& row, const Scale& scale, std::ostream& out) {
  std::size_t n = 0;
  for (const Group* group : row.groups)
    if (group != nullptr) n = std::max(n, group->n);
  out << fmt::format(
      R"(<div class="bar"><div class="label">{} <small>n&nbsp;=&nbsp;{}</small></div><div class="lines">)",
      html(row.key), n);
  for (std::size_t run = 0; run < task.runs.size(); ++run) {
    const Metric* metric = primary_of_group(row.groups[run]);
    if (metric == nullptr || !scale.fits(*metric)) continue;
    out << fmt::format(R"(<div class="line"><div class="plot">{}</div><div class="num">{}</div></div>)",
                       track_svg(*metric, scale, task.runs[run].first), value_text(*metric));
  }
  out << "</div></div>\n";
}

void write_numbers(const Grid& grid, const TaskRuns& task, const Breakdown& breakdown, std::ostream& out) {
  out << "<details><summary>Numbers</summary><div class=\"scroll\"><table>";
  write_number_head(grid, task, html(breakdown.by), {}, out);
  const std::size_t shown = std::min(breakdown.rows.size(), kRowsInTable);
  for (std::size_t i = 0; i < shown; ++i) {
    out << fmt::format(R"(<tr><th scope="row">{}</th>)", html(breakdown.rows[i].key));
    for (const Group* group : breakdown.rows[i].groups) out << number_cells(primary_of_group(group));
    out << "</tr>\n";
  }
  out << "</tbody></table></div></details>\n";
}

void write_figure(const Grid& grid, const TaskRuns& task, const std::string& metric,
                  const Breakdown& breakdown, const Scale& scale, std::ostream& out) {
  const std::size_t total = breakdown.rows.size(), drawn = std::min(total, kRowsInPlot);
  out << fmt::format("<figure><figcaption>{} by {}, 95 % intervals</figcaption>\n<div class=\"bars\">\n",
                     html(metric), html(breakdown.by));
  for (std::size_t i = 0; i < drawn; ++i) write_plot_row(task, breakdown.rows[i], scale, out);
  out << fmt::format(
             R"(<div class="bar"><div class="label"></div><div class="lines"><div class="line"><div class="plot">{}</div><div class="num"></div></div></div></div>)",
             axis_svg(scale))
      << "\n</div>\n";
  if (total > kRowsInTable) {
    out << fmt::format(
        "<p class=\"note\">{} of {} groups are drawn, {} are in the table; the CSV report has all.</p>\n",
        drawn, total, kRowsInTable);
  } else if (total > drawn) {
    out << fmt::format("<p class=\"note\">{} of {} groups are drawn; the table has all.</p>\n", drawn, total);
  }
  write_numbers(grid, task, breakdown, out);
  out << "</figure>\n";
}

struct BadGroup {
  const Group* group;
  std::size_t model;
};

void write_worst(const Grid& grid, std::size_t index, const TaskRuns& task, std::ostream& out) {
  std::vector<BadGroup> groups;
  for (const auto& [model, report] : task.runs)
    for (const Group& group : report->groups)
      if (!group.metrics.empty() && group.metrics.front().estimate) groups.push_back({&group, model});
  if (groups.size() <= kWorst) return;
  std::stable_sort(groups.begin(), groups.end(), [](const BadGroup& a, const BadGroup& b) {
    const Metric& x = a.group->metrics.front();
    const Metric& y = b.group->metrics.front();
    const bool lower = x.estimate->value < y.estimate->value;
    const bool higher = x.estimate->value > y.estimate->value;
    if (lower || higher) return x.direction == Direction::kHigherIsBetter ? lower : higher;
    return a.group->n > b.group->n;
  });
  out << "<div class=\"worst\"><h4>Five worst groups</h4><ol>\n";
  for (std::size_t i = 0; i < kWorst; ++i) {
    const auto& [group, model] = groups[i];
    out << fmt::format(
               R"(<li>{}<span>{}, <a href="#samples?run={}&amp;by={}&amp;key={}">{} <b>{}</b></a>: {} <small>n&nbsp;=&nbsp;{}</small></span></li>)",
               key_svg(model), html(grid.models()[model]), *grid.report_at(index, model),
               query_text(group->by), query_text(group->key), html(group->by), html(group->key),
               value_text(group->metrics.front()), group->n)
        << '\n';
  }
  out << "</ol></div>\n";
}

void write_task(const Grid& grid, std::size_t index, const Scale& scale, std::ostream& out) {
  const TaskRuns task = runs_of(grid, index);
  const std::string& name = grid.tasks()[index];
  out << fmt::format("<article id=\"where-{}\"><h3>{}</h3>\n", slug(name), html(name));
  write_metrics(grid, task, out);
  write_wrong(grid, index, out);
  const Metric* primary = primary_of(*task.runs.front().second);
  const std::vector<Breakdown> breakdowns = breakdowns_of(task);
  if (primary != nullptr && !breakdowns.empty()) {
    out << "<div class=\"multiples\">\n";
    for (const Breakdown& breakdown : breakdowns)
      if (breakdown.rows.size() > 1) write_figure(grid, task, primary->name, breakdown, scale, out);
    write_worst(grid, index, task, out);
    out << "</div>\n";
  }
  out << "</article>\n";
}

}  // namespace

void write_where(const Grid& grid, std::ostream& out) {
  const Scale scale = scale_of(grid);
  out << "<section id=\"where\">\n<h2>Where</h2>\n";
  for (std::size_t task = 0; task < grid.tasks().size(); ++task) write_task(grid, task, scale, out);
  out << "</section>\n";
}

}  // namespace micius
