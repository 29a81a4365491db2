// The ranking of three models or more on a task: strengths with their intervals, and who beat whom.
#include <fmt/format.h>

#include "reports/comparison_words_internal.h"
#include "reports/html_internal.h"

namespace micius {
namespace {

Estimate elo_of(const League::Rank& rank) {
  Estimate elo;
  elo.value = rank.elo;
  elo.low = rank.elo_low;
  elo.high = rank.elo_high;
  return elo;
}

// Elo around 0, the same axis for every task.
DifferenceScale scale_of(const std::vector<League>& leagues) {
  DifferenceScale scale("Elo");
  for (const League& league : leagues)
    for (const League::Rank& rank : league.ranking) scale.include(elo_of(rank), "Elo");
  return scale;
}

void write_ranking(const Grid& grid, const League& league, const DifferenceScale& scale, std::ostream& out) {
  out << "<div class=\"bars\">\n";
  for (const League::Rank& rank : league.ranking) {
    const std::size_t model = grid.model_of(league.places[rank.side]);
    out << fmt::format(
               R"(<div class="bar"><div class="label">{}</div><div class="lines"><div class="line"><div class="plot">{}</div><div class="num">{:+.0f}</div></div></div></div>)",
               html(league.labels[rank.side]), scale.track(elo_of(rank), model), rank.elo)
        << '\n';
  }
  out << fmt::format(
             R"(<div class="bar"><div class="label"></div><div class="lines"><div class="line"><div class="plot">{}</div><div class="num">Elo</div></div></div></div>)",
             scale.axis())
      << "\n</div>\n";
}

void write_table(const League& league, std::ostream& out) {
  const std::vector<std::size_t> order = order_of(league);
  out << "<details><summary>Wins / ties / losses of the row against the column</summary><div "
         "class=\"scroll\"><table><thead><tr><th></th>";
  for (const std::size_t side : order)
    out << fmt::format(R"(<th class="num" scope="col">{}</th>)", html(league.labels[side]));
  if (!league.ranking.empty())
    out << R"(<th class="num" scope="col">Elo</th><th class="num" scope="col">95 % interval</th>)";
  out << "</tr></thead>\n<tbody>\n";
  for (std::size_t i = 0; i < order.size(); ++i) {
    out << fmt::format(R"(<tr><th scope="row">{}</th>)", html(league.labels[order[i]]));
    for (const std::size_t other : order) {
      const WinTieLoss& w = league.table[order[i]][other];
      out << (other == order[i] ? std::string(R"(<td class="num none">-</td>)")
                                : fmt::format(R"(<td class="num">{} / {} / {}</td>)", w.win, w.tie, w.loss));
    }
    if (!league.ranking.empty()) {
      const League::Rank& rank = league.ranking[i];
      out << fmt::format(
          "<td class=\"num\">{:+.0f}</td><td class=\"num interval\">{:+.0f}\u2009to\u2009{:+.0f}</td>",
          rank.elo, rank.elo_low, rank.elo_high);
    }
    out << "</tr>\n";
  }
  out << "</tbody></table></div></details>\n";
}

}  // namespace

void write_leagues(const Grid& grid, const std::vector<League>& leagues, std::ostream& out) {
  if (leagues.empty()) return;
  const DifferenceScale scale = scale_of(leagues);
  out << "<h3>Ranking</h3>\n<p class=\"note\">Bradley-Terry strengths on the Elo scale, from wins, ties and "
         "losses on the samples that all have; intervals are robust to models that answer the same "
         "questions.</p>\n<div class=\"multiples\">\n";
  for (const League& league : leagues) {
    out << fmt::format("<figure><figcaption>{}, {}, n&nbsp;=&nbsp;{}</figcaption>\n", html(league.task),
                       html(league.metric), league.samples);
    if (league.ranking.empty()) {
      out << fmt::format("<p class=\"note\">{}.</p>\n", kNoRanking);
    } else {
      write_ranking(grid, league, scale, out);
    }
    write_table(league, out);
    out << "</figure>\n";
  }
  out << "</div>\n";
}

}  // namespace micius
