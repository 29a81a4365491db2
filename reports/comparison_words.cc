#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "reports/comparison_words_internal.h"
#include "reports/layout_internal.h"

namespace micius {
namespace {

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

// What a finding of the whole or of a group says: `on` is what it is about, `p` how sure it is.
std::string found_sentence(const Comparison& c, Finding finding, const Estimate& difference,
                           const std::string& on, const std::string& p) {
  const bool a_better = finding == Finding::kABetter;
  const double sign = a_better ? 1 : -1;
  const std::string interval = interval_words(difference, sign, c.metric.unit);
  return fmt::format("{} is better than {} on {}: {} ({}{}).", a_better ? c.a.label : c.b.label,
                     a_better ? c.b.label : c.a.label, on,
                     format_difference(sign * difference.value, c.metric.unit),
                     interval.empty() ? "" : "95 % interval " + interval + ", ", p);
}

std::string open_sentence(const Comparison& c, const ComparisonSet& set) {
  const std::string interval = interval_words(c.difference, 1, c.metric.unit);
  const std::string text =
      fmt::format("On {} no difference between {} and {} was shown: {} ({}{})", c.task, c.a.label, c.b.label,
                  format_difference(c.difference.value, c.metric.unit),
                  interval.empty() ? "" : interval + ", ", p_words(c, set));
  if (!c.detectable) return text + ".";
  return text + fmt::format("; with {} samples a difference under {} would often go unseen.", c.samples,
                            detectable_text(c));
}

}  // namespace

std::string verdict_sentence(const Comparison& c, const ComparisonSet& set) {
  if (c.finding == Finding::kNoDifference) return open_sentence(c, set);
  return found_sentence(c, c.finding, c.difference, c.task, p_words(c, set));
}

std::string group_sentence(const Comparison& c, const ComparedGroup& group) {
  return found_sentence(
      c, group.finding, *group.difference, fmt::format("{}, {} {}", c.task, group.by, group.key),
      fmt::format("p {} after Holm over {} groups", format_p(group.p_adjusted), c.groups.size()));
}

std::string who(const Comparison& c) {
  return fmt::format("{}, runs {} and {}", c.task, run_number(c.a.run), run_number(c.b.run));
}

std::string who_by_model(const Comparison& c) {
  return fmt::format("{}, {} and {}", c.task, c.a.label, c.b.label);
}

std::string value_cell(const std::optional<Estimate>& e, const std::string& unit) {
  return e ? format_value(e->value, unit) : "-";
}

std::string gap_cell(double value, const std::string& unit) {
  return unit == "fraction" ? fmt::format("{:+.1f}", 100 * value) : fmt::format("{:+.4g}", value);
}

std::string interval_cell(const std::optional<Estimate>& e, const std::string& unit,
                          const std::string& between) {
  if (!e || !e->low || !e->high) return "-";
  return number_text(*e->low, unit) + between + number_text(*e->high, unit);
}

std::string p_text(double value) {
  std::string p = format_p(value);
  if (p.starts_with("= ")) p.erase(0, 2);
  return p;
}

std::string p_cell(const Comparison& c) { return p_text(c.tests.front().p_adjusted); }

std::string detectable_text(const Comparison& c) {
  if (!c.detectable) return "";
  std::string text = format_difference(*c.detectable, c.metric.unit);
  text.erase(0, 1);  // its sign
  return text;
}

std::vector<const Flip*> worst_flips(const Comparison& c) {
  std::vector<const Flip*> flips;
  for (const Flip& flip : c.flips) flips.push_back(&flip);
  std::stable_sort(flips.begin(), flips.end(), [](const Flip* x, const Flip* y) {
    return std::abs(x->a_value - x->b_value) > std::abs(y->a_value - y->b_value);
  });
  return flips;
}

std::vector<std::size_t> order_of(const League& league) {
  std::vector<std::size_t> order(league.labels.size());
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t i = 0; i < league.ranking.size(); ++i) order[i] = league.ranking[i].side;
  return order;
}

std::vector<std::string> forced_notes(const Comparison& c, const std::string& subject) {
  std::vector<std::string> notes;
  for (const std::string& reason : c.forced)
    notes.push_back(fmt::format("NOT LIKE FOR LIKE: {}: {}", subject, reason));
  return notes;
}

std::vector<std::string> notes_of(const Comparison& c, const std::string& subject) {
  std::vector<std::string> notes;
  for (const auto& [side, other] : {std::pair{&c.a, &c.b}, std::pair{&c.b, &c.a}}) {
    if (side->only_here > 0)
      notes.push_back(fmt::format("{}: left out are {} of {}, which {} has not scored", subject,
                                  side->only_here, side->label, other->label));
    if (side->not_scored > 0)
      notes.push_back(fmt::format("{}: left out are {} of {}, which failed or could not be judged", subject,
                                  side->not_scored, side->label));
  }
  if (c.difference.clusters)
    notes.push_back(fmt::format("{}: n = {} in {} clusters", subject, c.samples, *c.difference.clusters));
  if (c.bootstrap)
    notes.push_back(fmt::format("{}: BCa bootstrap interval of A - B {}", subject,
                                interval_cell(c.bootstrap, c.metric.unit)));
  for (const std::string& note : c.notes) notes.push_back(subject + ": " + note);
  return notes;
}

std::optional<std::string> unanswered_note(const Comparison& c) {
  const bool a_better = c.finding == Finding::kABetter;
  const std::size_t won = a_better ? c.wins.win : c.wins.loss;
  const std::size_t unanswered = a_better ? c.a_won_unanswered : c.b_won_unanswered;
  if (c.finding == Finding::kNoDifference || 2 * unanswered <= won) return std::nullopt;
  return fmt::format(
      "{}: missing answers explain most of what {} gains over {}: on {} of the {} samples on which it does "
      "better the other gave none",
      c.task, a_better ? c.a.label : c.b.label, a_better ? c.b.label : c.a.label, unanswered, won);
}

std::vector<std::string> notes_of(const ComparisonSet& set, std::string (*subject)(const Comparison&)) {
  std::vector<std::string> notes;
  for (const Comparison& c : set.comparisons)
    for (std::string& note : notes_of(c, subject(c))) notes.push_back(std::move(note));
  for (const Comparison& c : set.comparisons)
    if (auto note = unanswered_note(c)) notes.push_back(std::move(*note));
  notes.insert(notes.end(), set.notes.begin(), set.notes.end());
  return notes;
}

}  // namespace micius
