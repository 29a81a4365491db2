#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/format.h"
#include "base/text.h"
#include "reports/comparison.h"
#include "reports/comparison_words_internal.h"
#include "reports/markdown_internal.h"

namespace micius {
namespace {

constexpr std::size_t kSentences = 5, kRows = 20, kLongestAnswer = 60;

// Those with a difference first, else in their order.
std::vector<const Comparison*> changed_first(const ComparisonSet& set) {
  std::vector<const Comparison*> all;
  for (const Comparison& c : set.comparisons) all.push_back(&c);
  std::stable_partition(all.begin(), all.end(),
                        [](const Comparison* c) { return c->finding != Finding::kNoDifference; });
  return all;
}

void write_sentences(const std::vector<const Comparison*>& all, const ComparisonSet& set, std::ostream& out) {
  const std::size_t told = std::min(all.size(), kSentences);
  for (std::size_t i = 0; i < told; ++i)
    out << (i == 0 ? "**" : "- ") << markdown_prose(verdict_sentence(*all[i], set))
        << (i == 0 ? "**\n\n" : "\n");
  if (told < all.size()) out << fmt::format("- {} more below\n", all.size() - told);
  if (told > 1) out << '\n';
}

void write_row(const Comparison& c, std::ostream& out) {
  const std::string& unit = c.metric.unit;
  out << fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} / {} / {} |\n", markdown_cell(c.task),
                     markdown_cell(c.a.label), markdown_cell(c.b.label), c.samples,
                     value_cell(c.a.estimate, unit), value_cell(c.b.estimate, unit),
                     gap_cell(c.difference.value, unit), interval_cell(c.difference, unit),
                     markdown_cell(p_cell(c)), c.wins.win, c.wins.tie, c.wins.loss);
}

void write_rows(const std::vector<const Comparison*>& all, std::size_t from, std::size_t to,
                std::ostream& out) {
  out << "| task | A | B | n | A value | B value | A - B | 95 % interval | p | A wins / ties / B wins |\n"
         "|---|---|---|--:|--:|--:|--:|:-:|--:|:-:|\n";
  for (std::size_t i = from; i < to; ++i) write_row(*all[i], out);
}

void write_table(const std::vector<const Comparison*>& all, std::ostream& out) {
  const std::size_t shown = std::min(all.size(), kRows);
  write_rows(all, 0, shown, out);
  if (shown == all.size()) return;
  out << fmt::format("\n<details><summary>{} more</summary>\n\n", all.size() - shown);
  write_rows(all, shown, all.size(), out);
  out << "\n</details>\n";
}

void write_league(const League& league, std::ostream& out) {
  out << fmt::format("\n<details><summary>Ranking on {}, {} samples</summary>\n\n",
                     markdown_cell(league.task), league.samples);
  if (league.ranking.empty()) out << kNoRanking << "\n\n";
  const std::vector<std::size_t> order = order_of(league);
  out << (league.ranking.empty() ? "| | model |" : "| | model | Elo | 95 % interval |");
  for (std::size_t i = 0; i < order.size(); ++i) out << fmt::format(" against {} |", i + 1);
  out << (league.ranking.empty() ? "\n|--:|---|" : "\n|--:|---|--:|:-:|");
  for (std::size_t i = 0; i < order.size(); ++i) out << ":-:|";
  out << '\n';
  for (std::size_t i = 0; i < order.size(); ++i) {
    out << fmt::format("| {} | {} |", i + 1, markdown_cell(league.labels[order[i]]));
    if (!league.ranking.empty()) {
      const League::Rank& rank = league.ranking[i];
      out << fmt::format(" {:+.0f} | {:.0f} .. {:.0f} |", rank.elo, rank.elo_low, rank.elo_high);
    }
    for (const std::size_t other : order) {
      const WinTieLoss& cell = league.table[order[i]][other];
      out << (order[i] == other ? " - |" : fmt::format(" {} / {} / {} |", cell.win, cell.tie, cell.loss));
    }
    out << '\n';
  }
  out << "\n</details>\n";
}

void write_groups(const Comparison& c, std::ostream& out) {
  if (c.groups.empty()) return;
  const std::string& unit = c.metric.unit;
  out << fmt::format("\n<details><summary>Groups: {}</summary>\n\n", markdown_cell(who_by_model(c)))
      << "| by | group | n | A value | B value | A - B | 95 % interval | p, Holm |\n"
         "|---|---|--:|--:|--:|--:|:-:|--:|\n";
  for (const ComparedGroup& group : c.groups)
    out << fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", markdown_cell(group.by),
                       markdown_cell(group.key), group.difference ? group.difference->n : 0,
                       value_cell(group.a, unit), value_cell(group.b, unit),
                       group.difference ? gap_cell(group.difference->value, unit) : "-",
                       interval_cell(group.difference, unit), markdown_cell(p_text(group.p_adjusted)));
  out << "\n</details>\n";
}

struct Place {
  const Comparison* comparison;
  const Flip* flip;
};

// Of all comparisons together, those on which the two differ most first.
std::vector<Place> worst_of(const ComparisonSet& set) {
  std::vector<Place> all;
  for (const Comparison& c : set.comparisons)
    for (const Flip* flip : worst_flips(c)) all.push_back({&c, flip});
  std::stable_sort(all.begin(), all.end(), [](const Place& x, const Place& y) {
    return std::abs(x.flip->a_value - x.flip->b_value) > std::abs(y.flip->a_value - y.flip->b_value);
  });
  return all;
}

void write_flips(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out) {
  const std::vector<Place> flips = worst_of(set);
  const std::size_t shown = std::min(style.flips, flips.size());
  if (shown == 0) return;
  out << fmt::format("\n<details><summary>Flips: {} of {}, the widest first</summary>\n\n", shown,
                     flips.size())
      << "| task | sample | A | B | A value | B value | A answered | B answered |\n"
         "|---|---|---|---|--:|--:|---|---|\n";
  const auto answer = [](const std::string& text) {
    return markdown_cell(shorten(visible_line(text), kLongestAnswer));
  };
  for (std::size_t i = 0; i < shown; ++i) {
    const Comparison& c = *flips[i].comparison;
    const Flip& flip = *flips[i].flip;
    out << fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} |\n", markdown_cell(c.task),
                       markdown_cell(flip.sample_id), markdown_cell(c.a.label), markdown_cell(c.b.label),
                       format_value(flip.a_value, c.metric.unit), format_value(flip.b_value, c.metric.unit),
                       answer(flip.a_answer), answer(flip.b_answer));
  }
  out << "\n</details>\n";
}

void write_notes(const ComparisonSet& set, std::ostream& out) {
  const std::vector<std::string> notes = notes_of(set, who_by_model);
  if (!notes.empty()) out << '\n';
  for (const std::string& note : notes) out << "- " << markdown_prose(note) << '\n';
}

}  // namespace

void write_comparison_markdown(const ComparisonSet& set, const ComparisonStyle& style, std::ostream& out) {
  const std::vector<const Comparison*> all = changed_first(set);
  write_sentences(all, set, out);
  for (const Comparison& c : set.comparisons)
    for (const std::string& note : forced_notes(c, who_by_model(c)))
      out << markdown_prose(note) << (style.within == ComparisonStyle::Within::kPage ? kForced : "")
          << ".\n\n";
  write_table(all, out);
  write_notes(set, out);
  for (const League& league : set.leagues) write_league(league, out);
  for (const Comparison& c : set.comparisons) write_groups(c, out);
  write_flips(set, style, out);
}

}  // namespace micius
