// Did it work, how good is it, and how sure are we: a sentence a model, one table of primary metrics.
#include <algorithm>
#include <set>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "core/names.h"
#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr std::size_t kTasksInSentence = 4;

Scale scale_of(const ReportSet& set) {
  Scale scale("fraction");
  for (const Report& report : set.reports)
    if (const Metric* primary = primary_of(report)) scale.include(*primary);
  return scale;
}

// "1.9 % bench_accuracy on infrawise (95 % interval 1.2 to 3.0, n = 960)".
std::string clause(const Report& report) {
  const Metric* primary = primary_of(report);
  if (primary == nullptr || !primary->estimate)
    return fmt::format("no score yet on {}", html(report.spec.task));
  const Estimate& e = *primary->estimate;
  const std::string interval =
      e.low && e.high ? fmt::format("95&nbsp;% interval {}, ", interval_text(*primary, " to ")) : "";
  return fmt::format("<strong>{}</strong> {} on {} ({}n&nbsp;=&nbsp;{})", value_text(*primary),
                     html(primary->name), html(report.spec.task), interval, e.n);
}

std::string sentence(const Grid& grid, std::size_t model) {
  std::string text;
  std::size_t told = 0, tasks = 0;
  for (std::size_t task = 0; task < grid.tasks().size(); ++task) {
    const auto index = grid.report_at(task, model);
    if (!index) continue;
    if (++tasks > kTasksInSentence) continue;
    text += fmt::format("{}{}", told++ == 0 ? "" : "; ", clause(grid.report(*index)));
  }
  if (tasks > told) text += fmt::format("; {} more tasks below", tasks - told);
  return text;
}

// Whoever answers under a well-known name may be somebody else.
std::string servers_of(const Grid& grid, std::size_t model) {
  std::set<std::string> urls;
  for (std::size_t task = 0; task < grid.tasks().size(); ++task) {
    const auto index = grid.report_at(task, model);
    if (index && grid.report(*index).spec.model.is_remote()) urls.insert(grid.report(*index).spec.model.url);
  }
  return urls.empty() ? "" : " at " + html(join({urls.begin(), urls.end()}, ", "));
}

void write_sentences(const Grid& grid, std::ostream& out) {
  out << "<ul class=\"sentences\">\n";
  for (std::size_t model = 0; model < grid.models().size(); ++model)
    out << fmt::format("<li>{}<span><b>{}</b>{}: {}.</span></li>\n", key_svg(model),
                       html(grid.models()[model]), servers_of(grid, model), sentence(grid, model));
  out << "</ul>\n";
}

std::string badge(std::size_t report, std::size_t count, std::string_view kind, std::string_view mark,
                  std::string_view word) {
  if (count == 0) return "";
  return fmt::format(
      R"(<a class="badge {}" href="#samples?run={}&amp;show={}"><span aria-hidden="true">{}</span> {} {}</a>)",
      kind, report, kind, mark, count, word);
}

// Of the answers that are none; the page does not filter by these.
std::string part_of_no_answer(std::size_t count, const char* word) {
  return count == 0 ? "" : fmt::format(R"(<span class="badge no_answer">{} {}</span>)", count, word);
}

std::string badges(const Grid& grid, std::size_t index) {
  const Report& report = grid.report(index);
  const Counts& c = report.counts;
  std::string text;
  if (report.status != RunStatus::kComplete)
    text += fmt::format(R"(<span class="badge open">{}: {} of {}</span>)", name_of(report.status),
                        c.scored + c.unscored + c.failed, c.total);
  text += badge(index, c.failed, "failed", "!", "failed");
  text += badge(index, c.unscored, "unscored", "?", "unscored");
  text += badge(index, c.no_answer, "no_answer", "\u2205", "no answer");
  text += part_of_no_answer(c.refused, "refused");
  text += part_of_no_answer(c.think_only, "only thinking");
  text += part_of_no_answer(c.unparsed, "unparsed");
  text += badge(index, c.truncated, "truncated", "\u2026", "truncated");
  text += badge(index, c.empty, "empty", "\u25a1", "empty");
  return text.empty() ? "" : "<div class=\"badges\">" + text + "</div>";
}

// A metric with an estimate as number, interval and, where the axis has its unit, dot.
std::string value_html(const Metric& metric, const Scale& scale, std::size_t model) {
  const std::string interval = metric.estimate->low ? interval_text(metric, "\u2009\u2013\u2009") : "";
  std::string text = fmt::format(
      R"(<div class="value"><b>{}</b> <span class="interval">{}</span> <span class="n">n&nbsp;=&nbsp;{}</span></div>)",
      value_text(metric), interval, metric.estimate->n);
  if (scale.fits(metric)) text += "<div class=\"plot\">" + track_svg(metric, scale, model) + "</div>";
  return text;
}

std::string score_cell(const Grid& grid, std::size_t index, std::size_t model, const Scale& scale) {
  const Report& report = grid.report(index);
  const Metric* primary = primary_of(report);
  std::string text = fmt::format(R"(<td class="score" data-label="{}">)", html(grid.models()[model]));
  text += primary != nullptr && primary->estimate ? value_html(*primary, scale, model)
                                                  : "<div class=\"value none\">no score</div>";
  return text + badges(grid, index) + "</td>";
}

// The published rows of a task are those of any of its runs.
const std::vector<Published>& published_of(const Grid& grid, std::size_t task) {
  static const std::vector<Published> kNone;
  for (std::size_t model = 0; model < grid.models().size(); ++model)
    if (const auto index = grid.report_at(task, model); index && !grid.report(*index).published.empty())
      return grid.report(*index).published;
  return kNone;
}

std::vector<Published> all_published(const Grid& grid) {
  std::vector<Published> all;
  for (std::size_t task = 0; task < grid.tasks().size(); ++task) {
    const auto& rows = published_of(grid, task);
    all.insert(all.end(), rows.begin(), rows.end());
  }
  return all;
}

void write_head(const Grid& grid, const std::vector<std::string>& published, std::ostream& out) {
  const std::string_view span = published.empty() ? "" : R"( rowspan="2")";
  out << fmt::format(R"(<thead><tr><th{} scope="col">task, primary metric</th>)", span);
  for (std::size_t model = 0; model < grid.models().size(); ++model)
    out << fmt::format(R"(<th{} scope="col">{}{}</th>)", span, key_svg(model), html(grid.models()[model]));
  if (!published.empty()) {
    out << fmt::format(R"(<th class="published" colspan="{}" scope="colgroup">{}</th></tr><tr>)",
                       published.size(), kPublishedHeading);
    for (const std::string& model : published)
      out << fmt::format(R"(<th class="published" scope="col">{}</th>)", html(model));
  }
  out << "</tr></thead>\n";
}

// Floor and ceiling of the task, under its name.
std::string reach_html(const Metric* primary) {
  if (primary == nullptr || !primary->floor || !primary->ceiling) return "";
  return fmt::format(
      R"(<small title="what models that know nothing, and everything, get">floor {}, ceiling {}</small>)",
      number_text(*primary->floor, primary->unit), number_text(*primary->ceiling, primary->unit));
}

void write_row(const Grid& grid, std::size_t task, const Scale& scale,
               const std::vector<std::string>& published, std::ostream& out) {
  const Metric* primary = nullptr;
  for (std::size_t model = 0; model < grid.models().size() && primary == nullptr; ++model)
    if (const auto index = grid.report_at(task, model)) primary = primary_of(grid.report(*index));
  const std::string metric = primary == nullptr ? "" : primary->name;
  out << fmt::format(R"(<tr><th scope="row"><a href="#where-{}">{}</a><small>{}</small>{}</th>)",
                     slug(grid.tasks()[task]), html(grid.tasks()[task]), html(metric), reach_html(primary));
  for (std::size_t model = 0; model < grid.models().size(); ++model) {
    const auto index = grid.report_at(task, model);
    out << (index ? score_cell(grid, *index, model, scale) : "<td class=\"score none\">not run</td>");
  }
  for (const std::string& model : published)
    out << fmt::format(R"(<td class="published" data-label="{}">{}</td>)", html(model),
                       published_cell(published_of(grid, task), model, metric));
  out << "</tr>\n";
}

// The suite's score of the model in a column, from the column's own runs.
const Metric* aggregate_of(const Grid& grid, const std::string& suite, std::size_t model) {
  for (const Aggregate& aggregate : grid.set().aggregates) {
    const bool same = std::any_of(aggregate.reports.begin(), aggregate.reports.end(),
                                  [&](std::size_t report) { return grid.model_of(report) == model; });
    if (aggregate.name == suite && same && !aggregate.metrics.empty()) return &aggregate.metrics.front();
  }
  return nullptr;
}

void write_aggregate_row(const Grid& grid, const std::string& suite, const std::string& rule,
                         const Scale& scale, std::size_t published, std::ostream& out) {
  out << fmt::format(R"(<tr class="aggregate"><th scope="row">{}<small>{}</small></th>)", html(suite),
                     html(rule));
  for (std::size_t model = 0; model < grid.models().size(); ++model) {
    const Metric* metric = aggregate_of(grid, suite, model);
    out << (metric == nullptr ? "<td class=\"score none\"></td>"
                              : fmt::format(R"(<td class="score" data-label="{}">{}</td>)",
                                            html(grid.models()[model]), value_html(*metric, scale, model)));
  }
  for (std::size_t i = 0; i < published; ++i) out << R"(<td class="published"></td>)";
  out << "</tr>\n";
}

void write_aggregate_rows(const Grid& grid, const Scale& scale, std::size_t published, std::ostream& out) {
  std::set<std::string> suites;
  for (const Aggregate& aggregate : grid.set().aggregates)
    if (suites.insert(aggregate.name).second)
      write_aggregate_row(grid, aggregate.name, aggregate.rule, scale, published, out);
}

void write_notes(const Grid& grid, const std::vector<Published>& published, std::ostream& out) {
  out << "<div class=\"notes\">\n";
  if (!published.empty())
    out << fmt::format("<p class=\"note\">Published columns: {} Source: {}; {}.</p>\n", kPublishedSentence,
                       html(published.front().source), html(published.front().note));
  for (const Aggregate& aggregate : grid.set().aggregates)
    if (const std::string note = part_note(aggregate, grid.set()); !note.empty())
      out << fmt::format("<p class=\"note\"><b>{}, {}</b>: {}.</p>\n", html(aggregate.name),
                         html(aggregate.model), note);
  for (const Report& report : grid.set().reports)
    for (const std::string& note : notes_of(report))
      out << fmt::format("<p class=\"note\"><b>{}, {}</b>: {}</p>\n", html(report.spec.task),
                         html(report.spec.model.name), note_html(note));
  out << "</div>\n";
}

}  // namespace

std::vector<std::string> published_models(const std::vector<Published>& rows) {
  std::vector<std::string> models;
  for (const Published& row : rows)
    if (std::find(models.begin(), models.end(), row.model) == models.end()) models.push_back(row.model);
  return models;
}

std::string published_cell(const std::vector<Published>& rows, std::string_view model,
                           std::string_view metric) {
  std::string text;
  for (const Published& row : rows) {
    if (row.model != model || row.metric != metric) continue;
    if (!text.empty()) text += "<br>";
    if (!row.group.empty()) text += html(row.group) + " ";
    text += format_percent(row.value);
  }
  return text;
}

void write_summary(const Grid& grid, std::ostream& out) {
  const Scale scale = scale_of(grid.set());
  const std::vector<Published> rows = all_published(grid);
  const std::vector<std::string> published = published_models(rows);
  out << "<section id=\"summary\">\n<h2>Summary</h2>\n<p class=\"verdict\">" << html(verdict_line(grid.set()))
      << "</p>\n";
  write_sentences(grid, out);
  out << fmt::format(
      R"(<div class="scroll"><table class="primaries"><caption>Primary metric of each task, 95 % intervals; dots on one axis from 0 to {}</caption>)",
      scale.label(1));
  write_head(grid, published, out);
  out << "<tbody>\n";
  for (std::size_t task = 0; task < grid.tasks().size(); ++task) write_row(grid, task, scale, published, out);
  write_aggregate_rows(grid, scale, published.size(), out);
  out << "</tbody></table></div>\n";
  write_notes(grid, rows, out);
  out << "</section>\n";
}

}  // namespace micius
