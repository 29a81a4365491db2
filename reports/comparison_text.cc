#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "reports/columns_internal.h"
#include "reports/comparison.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

constexpr std::size_t kLongestAnswer = 48;

std::int64_t number(RunId run) { return static_cast<std::int64_t>(run); }

// "17.6 to 25.4", or "" where there is no interval. `sign` turns A minus B around.
std::string interval_words(const Estimate& e, double sign, const std::string& unit) {
  if (!e.low || !e.high) return "";
  const double low = sign > 0 ? *e.low : -*e.high, high = sign > 0 ? *e.high : -*e.low;
  return number_text(low, unit) + " to " + number_text(high, unit);
}

// "p < 0.0001 after Holm over 4 tasks".
std::string p_words(const Comparison& c, const ComparisonSet& set) {
  std::string words = "p " + format_p(c.tests.front().p_adjusted);
  const std::size_t n = set.comparisons.size();
  if (n > 1) words += fmt::format(" after Holm over {} {}", n, set.leagues.empty() ? "tasks" : "comparisons");
  return words;
}

std::string found_sentence(const Comparison& c, const ComparisonSet& set) {
  const bool a_better = c.finding == Finding::kABetter;
  const double sign = a_better ? 1 : -1;
  const std::string interval = interval_words(c.difference, sign, c.metric.unit);
  return fmt::format("{} is better than {} on {}: {} ({}{}).", a_better ? c.a.label : c.b.label,
                     a_better ? c.b.label : c.a.label, c.task,
                     format_difference(sign * c.difference.value, c.metric.unit),
                     interval.empty() ? "" : "95 % interval " + interval + ", ", p_words(c, set));
}

std::string open_sentence(const Comparison& c, const ComparisonSet& set) {
  const std::string interval = interval_words(c.difference, 1, c.metric.unit);
  std::string text = fmt::format("On {} no difference between {} and {} was shown: {} ({}{})", c.task,
                                 c.a.label, c.b.label, format_difference(c.difference.value, c.metric.unit),
                                 interval.empty() ? "" : interval + ", ", p_words(c, set));
  if (!c.detectable) return text + ".";
  std::string least = format_difference(*c.detectable, c.metric.unit);
  least.erase(0, 1);  // its sign
  return text +
         fmt::format("; with {} samples a difference under {} would often go unseen.", c.samples, least);
}

std::string who(const Comparison& c) {
  return fmt::format("{}, runs {} and {}", c.task, number(c.a.run), number(c.b.run));
}

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

std::string value_cell(const std::optional<Estimate>& e, const std::string& unit) {
  return e ? format_value(e->value, unit) : "-";
}

// Of a difference: the number alone, with its sign.
std::string gap_cell(double value, const std::string& unit) {
  return unit == "fraction" ? fmt::format("{:+.1f}", 100 * value) : fmt::format("{:+.4g}", value);
}

std::string interval_cell(const std::optional<Estimate>& e, const std::string& unit) {
  if (!e || !e->low || !e->high) return "-";
  return number_text(*e->low, unit) + " .. " + number_text(*e->high, unit);
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
    std::string p = format_p(c.tests.front().p_adjusted);
    if (p.starts_with("= ")) p.erase(0, 2);
    const std::vector<std::string> cells = {visible_line(c.task),
                                            visible_line(c.a.label),
                                            visible_line(c.b.label),
                                            fmt::format("{}", c.samples),
                                            value_cell(c.a.estimate, unit),
                                            value_cell(c.b.estimate, unit),
                                            gap_cell(c.difference.value, unit),
                                            interval_cell(c.difference, unit),
                                            p,
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
                                 {"A - B", Align::kDecimal, {}},   {"95 % interval", Align::kPair, {}}};
  for (const ComparedGroup& group : c.groups) {
    const std::string& unit = c.metric.unit;
    const std::vector<std::string> cells = {visible_line(group.by + " " + group.key),
                                            fmt::format("{}", group.difference ? group.difference->n : 0),
                                            value_cell(group.a, unit),
                                            value_cell(group.b, unit),
                                            group.difference ? gap_cell(group.difference->value, unit) : "-",
                                            interval_cell(group.difference, unit)};
    for (std::size_t i = 0; i < cells.size(); ++i) columns[i].cells.push_back(cells[i]);
  }
  write_lines(columns, columns.size(), style, out);
}

// The samples on which the two differ most first.
void write_flips(const Comparison& c, const ComparisonStyle& style, std::ostream& out) {
  if (c.flips.empty() || style.flips == 0) return;
  std::vector<const Flip*> flips;
  for (const Flip& flip : c.flips) flips.push_back(&flip);
  std::stable_sort(flips.begin(), flips.end(), [](const Flip* x, const Flip* y) {
    return std::abs(x->a_value - x->b_value) > std::abs(y->a_value - y->b_value);
  });
  const std::size_t shown = std::min(style.flips, flips.size());
  out << '\n';
  write_line(
      fmt::format("{}: {} of {} samples differ{}; `micius show {} --sample ID{}` shows one whole", who(c),
                  flips.size(), c.samples, shown < flips.size() ? fmt::format(", {} here", shown) : "",
                  number(c.a.run), style.report.places),
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
  std::vector<std::size_t> order(league.labels.size());
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = 0; i < league.ranking.size(); ++i) order[i] = league.ranking[i].side;
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
  if (league.ranking.empty())
    write_line("no ranking: a model that never loses, or never wins, has no finite strength", style, out);
}

void write_notes(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out) {
  std::vector<std::string> notes;
  for (const Comparison& c : set.comparisons) {
    for (const ComparedRun* side : {&c.a, &c.b}) {
      if (side->only_here > 0)
        notes.push_back(fmt::format("{}: left out are {} of run {}, which the other run has not scored",
                                    who(c), side->only_here, number(side->run)));
      if (side->not_scored > 0)
        notes.push_back(fmt::format("{}: left out are {} of run {}, which failed or could not be judged",
                                    who(c), side->not_scored, number(side->run)));
    }
    if (c.difference.clusters)
      notes.push_back(fmt::format("{}: n = {} in {} clusters", who(c), c.samples, *c.difference.clusters));
    if (c.bootstrap)
      notes.push_back(fmt::format("{}: BCa bootstrap interval of A - B {}", who(c),
                                  interval_cell(c.bootstrap, c.metric.unit)));
    for (const std::string& note : c.notes) notes.push_back(who(c) + ": " + note);
  }
  notes.insert(notes.end(), set.notes.begin(), set.notes.end());
  if (!notes.empty()) out << '\n';
  for (const std::string& note : notes) write_line(note, style, out);
}

}  // namespace

void write_comparison_text(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out) {
  for (const Comparison& c : set.comparisons)
    for (const std::string& reason : c.forced)
      write_line(fmt::format("NOT LIKE FOR LIKE: {}: {} (compared because of --force)", who(c), reason),
                 style, out);
  for (const Comparison& c : set.comparisons)
    write_line(c.finding == Finding::kNoDifference ? open_sentence(c, set) : found_sentence(c, set), style,
               out);
  out << '\n';
  write_table(set, style, out);
  for (const League& league : set.leagues) write_league(league, style, out);
  for (const Comparison& c : set.comparisons) write_groups(c, style, out);
  for (const Comparison& c : set.comparisons) write_flips(c, style, out);
  write_notes(set, style, out);
}

}  // namespace micius
