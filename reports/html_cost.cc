// What did it cost: quality against tokens, money and time, and the figures of every run.
#include <algorithm>
#include <chrono>
#include <functional>

#include <fmt/format.h>

#include "base/format.h"
#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr std::size_t kTasksInPlots = 12;

// A model that looks its answers up takes microseconds.
std::string seconds_text(double seconds) {
  if (seconds < 0.0005) return fmt::format("{:.3g}\u00a0\u00b5s", 1e6 * seconds);
  return format_duration(
      std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds)));
}

std::string tokens_text(double tokens) { return fmt::format("{:.4g}", tokens); }

// One axis of cost: what it is called, its number of a report, and how that is written.
struct Axis {
  std::string title, unit;
  std::function<std::optional<Estimate>(const Report&)> of;
  std::string (*text)(double);
};

std::vector<Axis> axes() {
  const auto tokens = [](const Report& report) { return report.effort.tokens; };
  const auto money = [](const Report& report) { return report.effort.cost_usd; };
  const auto seconds = [](const Report& report) -> std::optional<Estimate> {
    if (!report.execution || !report.execution->seconds) return std::nullopt;
    return report.execution->seconds->mean;
  };
  return {{"tokens", "tokens a sample, in and out", tokens, tokens_text},
          {"money", "dollars a sample", money, money_text},
          {"time", "time a sample", seconds, seconds_text}};
}

std::string interval_of(const Estimate& e, std::string (*text)(double)) {
  return e.low && e.high ? text(*e.low) + "\u2009\u2013\u2009" + text(*e.high) : "-";
}

std::vector<Point> points_of(const Grid& grid, std::size_t task, const Axis& axis) {
  std::vector<Point> points;
  for (std::size_t model = 0; model < grid.models().size(); ++model) {
    const auto index = grid.report_at(task, model);
    if (!index) continue;
    const Metric* primary = primary_of(grid.report(*index));
    const std::optional<Estimate> x = axis.of(grid.report(*index));
    if (primary != nullptr && primary->estimate && primary->unit == "fraction" && x)
      points.push_back({*x, *primary->estimate, model});
  }
  return points;
}

void write_points(const Grid& grid, const std::vector<Point>& points, const Axis& axis, std::ostream& out) {
  out << "<details><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th "
         "scope=\"col\">model</th><th class=\"num\" scope=\"col\">score</th><th class=\"num\" "
         "scope=\"col\">95 % "
         "interval</th>"
      << fmt::format(R"(<th class="num" scope="col">{}</th><th class="num" scope="col">95 % interval</th>)",
                     axis.title)
      << "</tr></thead>\n<tbody>\n";
  for (const Point& p : points)
    out << fmt::format(
               R"(<tr><th scope="row">{}</th><td class="num">{}</td><td class="num interval">{}</td><td class="num">{}</td><td class="num interval">{}</td></tr>)",
               html(grid.models()[p.model]), format_percent(p.y.value), interval_of(p.y, format_percent),
               axis.text(p.x.value), interval_of(p.x, axis.text))
        << '\n';
  out << "</tbody></table></div></details>\n";
}

void write_plot(const Grid& grid, std::size_t task, const Axis& axis, const Scale& quality,
                std::ostream& out) {
  const std::vector<Point> points = points_of(grid, task, axis);
  if (points.size() < 2) return;
  Scale cost(axis.unit);
  std::string words;
  out << fmt::format(
      "<figure><figcaption>{}: score against {}, 95 % intervals of both</figcaption>\n<p "
      "class=\"legend\">",
      html(grid.tasks()[task]), axis.title);
  for (const Point& p : points) {
    cost.include(p.x);
    words += fmt::format("{}{}: {} at {}", words.empty() ? "" : "; ", grid.models()[p.model],
                         format_percent(p.y.value), axis.text(p.x.value));
    out << fmt::format(R"(<span class="side">{}{}</span>)", key_svg(p.model), html(grid.models()[p.model]));
  }
  out << fmt::format(
             R"(</p><div class="plane"><div class="up"><span>{}</span><span>{}</span><span>0</span></div><div class="plot">{}</div><div class="across"><span>0</span><span>{}</span><span>{}</span></div></div>)",
             quality.label(1), quality.label(0.5), scatter_svg(points, cost, quality, words), axis.unit,
             axis.text(cost.end()))
      << '\n';
  write_points(grid, points, axis, out);
  out << "</figure>\n";
}

void write_plots(const Grid& grid, std::ostream& out) {
  Scale quality("fraction");
  for (const Report& report : grid.set().reports)
    if (const Metric* primary = primary_of(report)) quality.include(*primary);
  const std::size_t drawn = std::min(kTasksInPlots, grid.tasks().size());
  out << "<div class=\"multiples\">\n";
  for (const Axis& axis : axes())
    for (std::size_t task = 0; task < drawn; ++task) write_plot(grid, task, axis, quality, out);
  out << "</div>\n";
  if (drawn < grid.tasks().size())
    out << fmt::format("<p class=\"note\">{} of {} tasks are drawn; the table has all.</p>\n", drawn,
                       grid.tasks().size());
}

std::string cell(std::string_view head, const std::string& text) {
  return fmt::format(R"(<td class="num{}" data-label="{}">{}</td>)", text == "-" ? " none" : "", head,
                     html(text));
}

std::string mean_text(const std::optional<Estimate>& e) { return e ? tokens_text(e->value) : "-"; }

// Money is shown where a price is known of any run.
bool has_prices(const ReportSet& set) {
  return std::any_of(set.reports.begin(), set.reports.end(),
                     [](const Report& report) { return report.usage.cost_usd.has_value(); });
}

void write_row(const Grid& grid, std::size_t index, std::ostream& out) {
  const Report& report = grid.report(index);
  out << fmt::format(R"(<tr><th scope="row">{}<small>{}{}</small></th>)", html(report.spec.task),
                     key_svg(grid.model_of(index)), html(grid.models()[grid.model_of(index)]))
      << cell("tokens in", format_count(report.usage.prompt_tokens))
      << cell("of a cache", format_count(report.usage.cached_tokens))
      << cell("tokens out", format_count(report.usage.completion_tokens))
      << cell("in a sample", mean_text(report.effort.prompt_tokens))
      << cell("out a sample", mean_text(report.effort.completion_tokens));
  if (has_prices(grid.set())) {
    const std::optional<double>& cost = report.usage.cost_usd;
    const std::optional<Estimate>& of_sample = report.effort.cost_usd;
    out << cell("cost", cost ? money_text(*cost) : "-")
        << cell("cost a sample", of_sample ? money_text(of_sample->value) : "-");
  }
  if (report.execution) {
    const Execution& e = *report.execution;
    const auto& seconds = e.seconds;
    const auto& work = e.work;
    out << cell("time", format_duration(std::chrono::nanoseconds(e.wall_ns)))
        << cell("samples/s", format_rate(e.samples_per_s))
        << cell("median", seconds ? seconds_text(seconds->p50) : "-")
        << cell("90 % under", seconds ? seconds_text(seconds->p90) : "-")
        << cell("99 % under", seconds ? seconds_text(seconds->p99) : "-")
        << cell("forwarded / naive tokens",
                work ? format_count(work->forwarded) + " / " + format_count(work->naive) : "-");
  }
  out << "</tr>\n";
}

void write_table(const Grid& grid, std::ostream& out) {
  const bool timed = grid.set().reports.front().execution.has_value();
  const bool priced = has_prices(grid.set());
  out << "<p class=\"note\">Tokens" << (priced ? ", money" : "") << " and time of every run"
      << (timed ? "; time and samples/s are the whole run's, judging the answers included; median and the "
                  "like are of the time from a sample's being sent to its being answered"
                : "")
      << (priced ? ".</p>\n" : ". No price is known of any of these models.</p>\n")
      << "<div class=\"scroll\"><table class=\"cost\"><thead><tr><th scope=\"col\">task, model</th>";
  std::vector<std::string> heads = {"tokens in", "of a cache", "tokens out", "in a sample", "out a sample"};
  if (priced) heads.insert(heads.end(), {"cost", "cost a sample"});
  if (timed)
    heads.insert(heads.end(),
                 {"time", "samples/s", "median", "90 % under", "99 % under", "forwarded / naive tokens"});
  for (const std::string& head : heads) out << fmt::format(R"(<th class="num" scope="col">{}</th>)", head);
  out << "</tr></thead>\n<tbody>\n";
  for (std::size_t task = 0; task < grid.tasks().size(); ++task)
    for (std::size_t model = 0; model < grid.models().size(); ++model)
      if (const auto index = grid.report_at(task, model)) write_row(grid, *index, out);
  out << "</tbody></table></div>\n";
}

}  // namespace

void write_cost(const Grid& grid, std::ostream& out) {
  if (grid.set().reports.empty()) return;
  out << "<section id=\"cost\">\n<h2>Cost and speed</h2>\n";
  write_plots(grid, out);
  write_table(grid, out);
  out << "</section>\n";
}

}  // namespace micius
