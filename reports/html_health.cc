// What came back: how answers ended, which were none and why, and where two ways of reading them differ.
#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "reports/comparison_words_internal.h"
#include "reports/html_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

struct Kind {
  const char* head;
  const char* show;  // what the sample browser filters by
  std::size_t Counts::*count;
};

constexpr std::array<Kind, 9> kKinds = {{{"ended normally", "ended", &Counts::ended},
                                         {"truncated", "truncated", &Counts::truncated},
                                         {"empty", "empty", &Counts::empty},
                                         {"refused", "refused", &Counts::refused},
                                         {"think-only", "think_only", &Counts::think_only},
                                         {"unparsed", "unparsed", &Counts::unparsed},
                                         {"prompt cut", "cut", &Counts::cut},
                                         {"unscored", "unscored", &Counts::unscored},
                                         {"failed", "failed", &Counts::failed}}};

std::string count_cell(std::size_t report, std::size_t count, std::size_t total, const Kind& kind,
                       std::size_t model) {
  if (count == 0) return fmt::format(R"(<td class="num none" data-label="{}">0</td>)", kind.head);
  const double share = 100 * static_cast<double>(count) / static_cast<double>(std::max(count, total));
  return fmt::format(
      R"(<td class="num" data-label="{}"><a href="#samples?run={}&amp;show={}">{}</a><svg class="share" width="100%" height="4" aria-hidden="true"><rect class="rest" width="100%" height="4"/><rect class="{}" width="{:.2f}%" height="4"/></svg></td>)",
      kind.head, report, kind.show, count, model_class(model), share);
}

void write_run(const Grid& grid, std::size_t index, std::ostream& out) {
  const Report& report = grid.report(index);
  const std::size_t model = grid.model_of(index);
  out << fmt::format(
      R"(<tr><th scope="row">{}<small>{}{}</small></th><td class="num" data-label="samples">{}</td>)",
      html(report.spec.task), key_svg(model), html(grid.models()[model]), done_text(report.counts));
  for (const Kind& kind : kKinds)
    out << count_cell(index, report.counts.*kind.count, report.counts.total, kind, model);
  out << "</tr>\n";
}

void write_counts(const Grid& grid, std::ostream& out) {
  out << "<p class=\"note\">How many of the samples; one may be both truncated and something else. Empty, "
         "refused, "
         "think-only and unparsed gave no answer and count as wrong.</p>\n<div class=\"scroll\"><table "
         "class=\"health\"><thead><tr><th scope=\"col\">task, model</th><th class=\"num\" "
         "scope=\"col\">samples</th>";
  for (const Kind& kind : kKinds) out << fmt::format(R"(<th class="num" scope="col">{}</th>)", kind.head);
  out << "</tr></thead>\n<tbody>\n";
  for (std::size_t task = 0; task < grid.tasks().size(); ++task)
    for (std::size_t model = 0; model < grid.models().size(); ++model)
      if (const auto index = grid.report_at(task, model)) write_run(grid, *index, out);
  out << "</tbody></table></div>\n";
}

void write_explained(const Grid& grid, std::ostream& out) {
  for (const Comparison& c : named_comparisons(grid).comparisons)
    if (const auto note = unanswered_note(c)) out << fmt::format("<p>{}.</p>\n", html(*note));
}

void write_readings(const Grid& grid, std::ostream& out) {
  const auto& reports = grid.set().reports;
  if (std::all_of(reports.begin(), reports.end(), [](const Report& r) { return r.readings.empty(); })) return;
  out << "<h3>How the ways of reading an answer differ</h3>\n<div class=\"scroll\"><table><thead><tr>"
         "<th scope=\"col\">task, model</th><th scope=\"col\">metric</th><th scope=\"col\">one way</th>"
         "<th scope=\"col\">the other</th><th class=\"num\" scope=\"col\">samples</th>"
         "<th class=\"num\" scope=\"col\">only by the one</th><th class=\"num\" scope=\"col\">only by the "
         "other</th></tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < reports.size(); ++i)
    for (const Readings& r : reports[i].readings)
      out << fmt::format(
                 R"(<tr><th scope="row">{}<small>{}{}</small></th><td>{}</td><td>{}</td><td>{}</td><td class="num">{}</td><td class="num">{}</td><td class="num">{}</td></tr>)",
                 html(reports[i].spec.task), key_svg(grid.model_of(i)), html(grid.models()[grid.model_of(i)]),
                 html(r.metric), html(r.first), html(r.second), r.n, r.only_first, r.only_second)
          << '\n';
  out << "</tbody></table></div>\n";
}

}  // namespace

void write_health(const Grid& grid, std::ostream& out) {
  if (grid.set().reports.empty()) return;
  out << "<section id=\"health\">\n<h2>Health</h2>\n";
  write_explained(grid, out);
  write_counts(grid, out);
  write_readings(grid, out);
  out << "</section>\n";
}

}  // namespace micius
