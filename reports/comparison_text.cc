#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "base/wrap.h"
#include "reports/columns_internal.h"
#include "reports/comparison.h"
#include "reports/comparison_words_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr std::size_t kLongestAnswer = 48;

void write_line(const std::string& text, const ComparisonStyle& style, std::ostream& out) {
  out << wrap(visible_line(text), style.report.width, 2) << '\n';
}

void write_lines(const std::vector<Column>& columns, std::size_t keep, const ComparisonStyle& style,
                 std::ostream& out) {
  const Layout layout = lay_out(columns, style.report.width, keep);
  for (const std::string& line : layout.lines) out << line << '\n';
  if (!layout.left_out.empty())
    write_line(fmt::format("left out at {} columns: {}; a wider terminal or --format json has them",
                           style.report.width, join(layout.left_out, ", ")),
               style, out);
}

void write_table(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out) {
  std::vector<Column> columns = {{"task", Align::kLeft, {}},       {"A", Align::kLeft, {}},
                                 {"B", Align::kLeft, {}},          {"n", Align::kRight, {}},
                                 {"A value", Align::kDecimal, {}}, {"B value", Align::kDecimal, {}},
                                 {"A - B", Align::kDecimal, {}},   {"95 % interval", Align::kPair, {}},
                                 {"p", Align::kRight, {}},         {"A wins", Align::kRight, {}},
                                 {"ties", Align::kRight, {}},      {"B wins", Align::kRight, {}}};
  for (const Comparison& c : set.comparisons) {
    const std::string& unit = c.metric.unit;
    const std::vector<std::string> cells = {visible_line(c.task),
                                            visible_line(c.a.label),
                                            visible_line(c.b.label),
                                            fmt::format("{}", c.samples),
                                            value_cell(c.a.estimate, unit),
                                            value_cell(c.b.estimate, unit),
                                            gap_cell(c.difference.value, unit),
                                            interval_cell(c.difference, unit),
                                            p_cell(c),
                                            fmt::format("{}", c.wins.win),
                                            fmt::format("{}", c.wins.tie),
                                            fmt::format("{}", c.wins.loss)};
    for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  write_lines(columns, 9, style, out);
}

void write_groups(const Comparison& c, const ComparisonStyle& style, std::ostream& out) {
  if (c.groups.empty()) return;
  out << '\n' << visible_line(who(c)) << '\n';
  std::vector<Column> columns = {{"group", Align::kLeft, {}},      {"n", Align::kRight, {}},
                                 {"A value", Align::kDecimal, {}}, {"B value", Align::kDecimal, {}},
                                 {"A - B", Align::kDecimal, {}},   {"95 % interval", Align::kPair, {}},
                                 {"p, Holm", Align::kRight, {}}};
  for (const ComparedGroup& group : c.groups) {
    const std::string& unit = c.metric.unit;
    const std::vector<std::string> cells = {visible_line(group.by + " " + group.key),
                                            fmt::format("{}", group.difference ? group.difference->n : 0),
                                            value_cell(group.a, unit),
                                            value_cell(group.b, unit),
                                            group.difference ? gap_cell(group.difference->value, unit) : "-",
                                            interval_cell(group.difference, unit),
                                            p_text(group.p_adjusted)};
    for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  write_lines(columns, columns.size(), style, out);
}

void write_flips(const Comparison& c, const ComparisonStyle& style, std::ostream& out) {
  if (c.flips.empty() || style.flips == 0) return;
  const std::vector<const Flip*> flips = worst_flips(c);
  const std::size_t shown = std::min(style.flips, flips.size());
  out << '\n';
  write_line(
      fmt::format("{}: {} of {} samples differ{}; `micius show {} --sample ID{}` shows one whole", who(c),
                  flips.size(), c.samples, shown < flips.size() ? fmt::format(", {} here", shown) : "",
                  run_number(c.a.run), style.report.places),
      style, out);
  std::vector<Column> columns = {{"sample", Align::kLeft, {}},
                                 {"A", Align::kDecimal, {}},
                                 {"B", Align::kDecimal, {}},
                                 {"A answered", Align::kLeft, {}},
                                 {"B answered", Align::kLeft, {}}};
  for (std::size_t i = 0; i < shown; ++i) {
    columns[0].cells.push_back(visible_line(flips[i]->sample_id));
    columns[1].cells.push_back(format_value(flips[i]->a_value, c.metric.unit));
    columns[2].cells.push_back(format_value(flips[i]->b_value, c.metric.unit));
    columns[3].cells.push_back(shorten(visible_line(flips[i]->a_answer), kLongestAnswer));
    columns[4].cells.push_back(shorten(visible_line(flips[i]->b_answer), kLongestAnswer));
  }
  write_lines(columns, columns.size(), style, out);
}

// Who beat whom, strongest first.
void write_league(const League& league, const ComparisonStyle& style, std::ostream& out) {
  const std::vector<std::size_t> order = order_of(league);
  out << '\n'
      << visible_line(fmt::format("{}, {} samples: win/tie/loss of the row against the column", league.task,
                                  league.samples))
      << '\n';
  std::vector<Column> columns = {{"", Align::kRight, {}}, {"model", Align::kLeft, {}}};
  if (!league.ranking.empty()) {
    columns.push_back({"Elo", Align::kRight, {}});
    columns.push_back({"95 % interval", Align::kPair, {}});
  }
  for (std::size_t i = 0; i < order.size(); ++i) {
    columns[0].cells.push_back(fmt::format("{}", i + 1));
    columns[1].cells.push_back(visible_line(league.labels[order[i]]));
    if (league.ranking.empty()) continue;
    const League::Rank& rank = league.ranking[i];
    columns[2].cells.push_back(fmt::format("{:+.0f}", rank.elo));
    columns[3].cells.push_back(fmt::format("{:.0f} .. {:.0f}", rank.elo_low, rank.elo_high));
  }
  for (std::size_t j = 0; j < order.size(); ++j) {
    Column column{fmt::format("{}", j + 1), Align::kRight, {}};
    for (const std::size_t i : order) {
      const WinTieLoss& cell = league.table[i][order[j]];
      column.cells.push_back(i == order[j] ? "-" : fmt::format("{}/{}/{}", cell.win, cell.tie, cell.loss));
    }
    columns.push_back(std::move(column));
  }
  write_lines(columns, league.ranking.empty() ? 2 : 4, style, out);
  if (league.ranking.empty()) write_line(std::string(kNoRanking), style, out);
}

void write_notes(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out) {
  const std::vector<std::string> notes = notes_of(set, who);
  if (!notes.empty()) out << '\n';
  for (const std::string& note : notes) write_line(note, style, out);
}

}  // namespace

void write_comparison_text(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out) {
  for (const Comparison& c : set.comparisons)
    for (const std::string& note : forced_notes(c, who(c)))
      write_line(note + std::string(kForced), style, out);
  for (const Comparison& c : set.comparisons) write_line(verdict_sentence(c, set), style, out);
  out << '\n';
  write_table(set, style, out);
  for (const League& league : set.leagues) write_league(league, style, out);
  for (const Comparison& c : set.comparisons) write_groups(c, style, out);
  for (const Comparison& c : set.comparisons) write_flips(c, style, out);
  write_notes(set, style, out);
}

}  // namespace micius
