// Is it better than the other one: the paired differences, who wins how often, and the ranking of three
// models or more.
#include <algorithm>

#include <fmt/format.h>

#include "base/format.h"
#include "reports/comparison_words_internal.h"
#include "reports/html_internal.h"

namespace micius {
namespace {

constexpr std::size_t kSentences = 8, kGroupSentences = 5, kGroupsInPlot = 16;

DifferenceScale scale_of(const ComparisonSet& set) {
  DifferenceScale scale("fraction");
  for (const Comparison& c : set.comparisons) {
    scale.include(c.difference, c.metric.unit);
    for (const ComparedGroup& group : c.groups)
      if (group.difference) scale.include(*group.difference, c.metric.unit);
  }
  return scale;
}

std::string model_html(const Grid& grid, const ComparedRun& run) {
  return fmt::format(R"(<span class="side">{}{}</span>)", key_svg(grid.model_of(run.place)), html(run.label));
}

void write_sentences(const ComparisonSet& set, std::ostream& out) {
  out << "<ul class=\"sentences\">\n";
  const std::size_t told = std::min(kSentences, set.comparisons.size());
  for (std::size_t i = 0; i < told; ++i)
    out << fmt::format("<li><span>{}</span></li>\n", html(verdict_sentence(set.comparisons[i], set)));
  if (told < set.comparisons.size())
    out << fmt::format("<li><span>{} more in the table.</span></li>\n", set.comparisons.size() - told);
  out << "</ul>\n";
}

// A cell that a narrow page shows as a line of its own, headed by its column.
std::string cell(std::string_view css_class, std::string_view head, const std::string& content) {
  return fmt::format(R"(<td class="{}" data-label="{}">{}</td>)", css_class, head, content);
}

std::string wins_html(const Grid& grid, const Comparison& c) {
  return wins_svg(c.wins, grid.model_of(c.a.place), grid.model_of(c.b.place)) +
         fmt::format("<small>{} / {} / {}</small>", c.wins.win, c.wins.tie, c.wins.loss);
}

std::string flips_link(const Comparison& c) {
  if (c.flips.empty()) return "none";
  return fmt::format(R"(<a href="#samples?run={}&amp;vs={}">{}</a>)", c.a.place, c.b.place, c.flips.size());
}

void write_row(const Grid& grid, const Comparison& c, const DifferenceScale& scale, std::ostream& out) {
  const std::string& unit = c.metric.unit;
  const std::string plot =
      scale.fits(unit) ? "<div class=\"plot\">" + scale.track(c.difference) + "</div>" : "";
  out << fmt::format(R"(<tr{}><th scope="row">{}<small>{}, n&nbsp;=&nbsp;{}</small></th>)",
                     c.finding == Finding::kNoDifference ? "" : " class=\"found\"", html(c.task),
                     html(c.metric.name), c.samples)
      << cell("sides", "A, B", model_html(grid, c.a) + model_html(grid, c.b)) << cell("forest", "A − B", plot)
      << cell("num", "difference", "<b>" + gap_cell(c.difference.value, unit) + "</b>")
      << cell("num interval", "95 % interval", interval_cell(c.difference, unit, "\u2009\u2013\u2009"))
      << cell("num", "p", html(p_cell(c))) << cell("wins", "A wins / ties / B wins", wins_html(grid, c))
      << cell("num", "often unseen under", detectable_text(c)) << cell("num", "flips", flips_link(c))
      << "</tr>\n";
}

void write_forest(const Grid& grid, const ComparisonSet& set, std::ostream& out) {
  const DifferenceScale scale = scale_of(set);
  out << "<div class=\"scroll\"><table class=\"versus\"><caption>Paired differences A \u2212 B with 95 % "
         "intervals, in points of a percent where the metric is a share; right of the line A is higher. p "
      << (set.comparisons.size() > 1
              ? fmt::format("is corrected by Holm over {} comparisons", set.comparisons.size())
              : "is of one comparison")
      << ".</caption>\n<thead><tr><th scope=\"col\">task, metric</th><th scope=\"col\">A, B</th>"
      << fmt::format("<th class=\"forest\" scope=\"col\"><div class=\"plot\">{}</div></th>", scale.axis())
      << "<th class=\"num\" scope=\"col\">A \u2212 B</th><th class=\"num\" scope=\"col\">95 % interval</th>"
         "<th class=\"num\" scope=\"col\">p</th><th class=\"wins\" scope=\"col\">A wins / ties / B wins</th>"
         "<th class=\"num\" scope=\"col\">often unseen under</th><th class=\"num\" scope=\"col\">flips</th>"
         "</tr></thead>\n<tbody>\n";
  for (const Comparison& c : set.comparisons) write_row(grid, c, scale, out);
  out << "</tbody></table></div>\n";
}

std::string plain_number(const std::optional<Estimate>& e, const std::string& unit) {
  return fmt::format(R"(<td class="num">{}</td><td class="num interval">{}</td>)", value_cell(e, unit),
                     interval_cell(e, unit, "\u2009\u2013\u2009"));
}

void write_tests(const ComparisonSet& set, std::ostream& out) {
  out << "<details><summary>Values and tests</summary><div class=\"scroll\"><table><thead><tr>"
         "<th scope=\"col\">task</th><th scope=\"col\">A</th><th class=\"num\" scope=\"col\">value</th>"
         "<th class=\"num\" scope=\"col\">95 % interval</th><th scope=\"col\">B</th>"
         "<th class=\"num\" scope=\"col\">value</th><th class=\"num\" scope=\"col\">95 % interval</th>"
         "<th scope=\"col\">test</th><th class=\"num\" scope=\"col\">p</th>"
         "<th class=\"num\" scope=\"col\">corrected</th><th scope=\"col\">interval of A \u2212 B</th>"
         "</tr></thead>\n<tbody>\n";
  for (const Comparison& c : set.comparisons) {
    for (const PairedTest& test : c.tests)
      out << fmt::format(
                 R"(<tr><th scope="row">{}</th><td>{}</td>{}<td>{}</td>{}<td>{}</td><td class="num">{}</td><td class="num">{}</td><td>{}</td></tr>)",
                 html(c.task), html(c.a.label), plain_number(c.a.estimate, c.metric.unit), html(c.b.label),
                 plain_number(c.b.estimate, c.metric.unit), html(test.name), html(p_text(test.p)),
                 html(p_text(test.p_adjusted)), html(c.interval))
          << '\n';
  }
  out << "</tbody></table></div>\n";
  const auto is_at_floor = [](const PairedTest& test) { return test.least_p > 0 && test.p <= test.least_p; };
  for (const Comparison& c : set.comparisons) {
    if (const auto test = std::find_if(c.tests.begin(), c.tests.end(), is_at_floor); test != c.tests.end()) {
      out << fmt::format(
          "<p class=\"note\">No draw of {} was as extreme as the data: p may be less than the {} that so "
          "many draws can show.</p>\n",
          html(test->name), html(p_text(test->least_p)));
      break;
    }
  }
  out << "</details>\n";
}

// The groups on which one is better, in the order of the plot.
void write_group_sentences(const Comparison& c, std::ostream& out) {
  std::vector<const ComparedGroup*> found;
  for (const ComparedGroup& group : c.groups)
    if (group.finding != Finding::kNoDifference) found.push_back(&group);
  if (found.empty()) {
    out << "<p class=\"note\">On no group alone a difference was shown.</p>\n";
    return;
  }
  const std::size_t told = std::min(kGroupSentences, found.size());
  out << "<ul class=\"sentences\">\n";
  for (std::size_t i = 0; i < told; ++i)
    out << fmt::format("<li><span>{}</span></li>\n", html(group_sentence(c, *found[i])));
  out << "</ul>\n";
  if (told < found.size())
    out << fmt::format("<p class=\"note\">{} more groups with a difference in the table.</p>\n",
                       found.size() - told);
}

void write_group_numbers(const Comparison& c, std::ostream& out) {
  const std::string& unit = c.metric.unit;
  out << "<details><summary>Numbers</summary><div class=\"scroll\"><table><thead><tr><th "
         "scope=\"col\">group</th><th class=\"num count\" scope=\"col\">n</th><th class=\"num\" "
         "scope=\"col\">A</th><th class=\"num\" scope=\"col\">B</th><th class=\"num\" scope=\"col\">A "
         "\u2212 B</th><th class=\"num\" scope=\"col\">95 % interval</th><th class=\"num\" "
         "scope=\"col\">p</th><th class=\"num\" scope=\"col\">after Holm over "
      << c.groups.size() << "</th></tr></thead>\n<tbody>\n";
  for (const ComparedGroup& group : c.groups) {
    if (!group.difference) continue;
    out << fmt::format(
               R"(<tr><th scope="row">{} {}</th><td class="num count">{}</td><td class="num">{}</td><td class="num">{}</td><td class="num"><b>{}</b></td><td class="num interval">{}</td><td class="num">{}</td><td class="num">{}</td></tr>)",
               html(group.by), html(group.key), group.difference->n, value_cell(group.a, unit),
               value_cell(group.b, unit), gap_cell(group.difference->value, unit),
               interval_cell(group.difference, unit, "\u2009\u2013\u2009"), html(p_text(group.p)),
               html(p_text(group.p_adjusted)))
        << '\n';
  }
  out << "</tbody></table></div></details>\n";
}

void write_groups(const Comparison& c, const DifferenceScale& scale, std::ostream& out) {
  if (c.groups.empty()) return;
  const std::string& unit = c.metric.unit;
  out << fmt::format(
      "<figure><figcaption>{}: {} \u2212 {} by group, 95 % intervals of each alone; grey: after Holm over "
      "all {} no "
      "difference was shown</figcaption>\n<div class=\"bars\">\n",
      html(c.task), html(c.a.label), html(c.b.label), c.groups.size());
  std::size_t drawn = 0;
  for (const ComparedGroup& group : c.groups) {
    if (!group.difference || !scale.fits(unit) || ++drawn > kGroupsInPlot) continue;
    out << fmt::format(
               R"(<div class="bar{}"><div class="label"><a href="#samples?run={}&amp;vs={}&amp;by={}&amp;key={}">{} {}</a> <small>n&nbsp;=&nbsp;{}</small></div><div class="lines"><div class="line"><div class="plot">{}</div><div class="num">{}</div></div></div></div>)",
               group.finding == Finding::kNoDifference ? " unsure" : "", c.a.place, c.b.place,
               query_text(group.by), query_text(group.key), html(group.by), html(group.key),
               group.difference->n, scale.track(*group.difference), gap_cell(group.difference->value, unit))
        << '\n';
  }
  out << fmt::format(
             R"(<div class="bar"><div class="label"></div><div class="lines"><div class="line"><div class="plot">{}</div><div class="num"></div></div></div></div>)",
             scale.axis())
      << "\n</div>\n";
  if (drawn > kGroupsInPlot)
    out << fmt::format("<p class=\"note\">{} of {} groups are drawn; the table has all.</p>\n", kGroupsInPlot,
                       drawn);
  write_group_sentences(c, out);
  write_group_numbers(c, out);
  out << "</figure>\n";
}

void write_notes(const Grid& grid, const ComparisonSet& set, std::ostream& out) {
  std::vector<std::string> notes;
  const auto add = [&](std::vector<std::string> more) {
    notes.insert(notes.end(), more.begin(), more.end());
  };
  for (const Comparison& c : set.comparisons) {
    const std::string subject =
        grid.tasks().size() == 1 && set.comparisons.size() == 1 ? c.task : who_by_model(c);
    add(forced_notes(c, subject));
    add(notes_of(c, subject));
  }
  add(set.notes);
  if (notes.empty()) return;
  out << "<div class=\"notes\">\n";
  for (const std::string& note : notes) out << fmt::format("<p class=\"note\">{}.</p>\n", note_html(note));
  out << "</div>\n";
}

}  // namespace

void write_versus(const Grid& grid, std::ostream& out) {
  const ComparisonSet set = named_comparisons(grid);
  if (set.comparisons.empty()) return;
  const DifferenceScale scale = scale_of(set);
  out << "<section id=\"versus\">\n<h2>Head to head</h2>\n";
  write_sentences(set, out);
  if (!set.leagues.empty())
    out << "<p class=\"note\">A task's first model is compared with each other one; the ranking has all of "
           "them.</p>\n";
  write_forest(grid, set, out);
  write_tests(set, out);
  const bool has_groups = std::any_of(set.comparisons.begin(), set.comparisons.end(),
                                      [](const Comparison& c) { return !c.groups.empty(); });
  if (has_groups) out << "<div class=\"multiples\">\n";
  for (const Comparison& c : set.comparisons) write_groups(c, scale, out);
  if (has_groups) out << "</div>\n";
  write_leagues(grid, set.leagues, out);
  write_notes(grid, set, out);
  out << "</section>\n";
}

}  // namespace micius
