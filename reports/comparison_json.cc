#include "base/json.h"
#include "core/names.h"
#include "reports/comparison.h"

namespace micius {
namespace {

Json interval_json(const Estimate& e) {
  Json json = {{"value", e.value}};
  if (e.low) json["low"] = *e.low;
  if (e.high) json["high"] = *e.high;
  if (e.stderr_) json["stderr"] = *e.stderr_;
  return json;
}

Json to_json(const ComparedRun& run) {
  Json json = {{"run", static_cast<std::int64_t>(run.run)}, {"model", run.label}};
  if (run.estimate) json.update(interval_json(*run.estimate));
  json["only_here"] = run.only_here;
  json["not_scored"] = run.not_scored;
  return json;
}

Json difference_json(const Comparison& c) {
  Json json = interval_json(c.difference);
  json["interval"] = c.interval;
  if (c.difference.clusters) json["clusters"] = *c.difference.clusters;
  if (c.difference.n_effective) json["n_effective"] = *c.difference.n_effective;
  if (c.bootstrap && c.bootstrap->low)
    json["bca"] = {{"low", *c.bootstrap->low}, {"high", *c.bootstrap->high}};
  return json;
}

Json tests_json(const Comparison& c) {
  Json list = Json::array();
  for (std::size_t i = 0; i < c.tests.size(); ++i)
    list.push_back({{"name", c.tests[i].name},
                    {"p", c.tests[i].p},
                    {"p_adjusted", c.tests[i].p_adjusted},
                    {"decides", i == 0}});
  return list;
}

Json flips_json(const Comparison& c) {
  Json list = Json::array();
  for (const Flip& flip : c.flips)
    list.push_back({{"sample_id", flip.sample_id},
                    {"a", flip.a_answer},
                    {"b", flip.b_answer},
                    {"a_value", flip.a_value},
                    {"b_value", flip.b_value},
                    {"a_verdict", name_of(flip.a_verdict)},
                    {"b_verdict", name_of(flip.b_verdict)}});
  return list;
}

const char* better(Finding finding) {
  return finding == Finding::kABetter ? "a" : finding == Finding::kBBetter ? "b" : "neither";
}

Json groups_json(const Comparison& c) {
  Json list = Json::array();
  for (const ComparedGroup& group : c.groups) {
    Json row = {{"by", group.by}, {"key", group.key}};
    if (group.difference) row["n"] = group.difference->n;
    if (group.a) row["a"] = interval_json(*group.a);
    if (group.b) row["b"] = interval_json(*group.b);
    if (group.difference) row["difference"] = interval_json(*group.difference);
    row["p"] = group.p;
    row["p_adjusted"] = group.p_adjusted;
    row["better"] = better(group.finding);
    list.push_back(std::move(row));
  }
  return list;
}

Json to_json(const Comparison& c) {
  Json json = {
      {"task", c.task},        {"metric", c.metric.name},
      {"unit", c.metric.unit}, {"higher_is_better", c.metric.direction == Direction::kHigherIsBetter},
      {"samples", c.samples},  {"a", to_json(c.a)},
      {"b", to_json(c.b)},     {"difference", difference_json(c)}};
  if (c.counts) {
    json["both_right"] = c.counts->both_right;
    json["only_a"] = c.counts->only_a;
    json["only_b"] = c.counts->only_b;
    json["both_wrong"] = c.counts->both_wrong;
  }
  json["wins"] = {{"a", c.wins.win}, {"ties", c.wins.tie}, {"b", c.wins.loss}};
  json["unanswered"] = {{"a_won", c.a_won_unanswered}, {"b_won", c.b_won_unanswered}};
  json["tests"] = tests_json(c);
  json["better"] = better(c.finding);
  if (c.detectable) json["minimum_detectable_effect"] = *c.detectable;
  json["flips"] = flips_json(c);
  if (!c.groups.empty()) json["groups"] = groups_json(c);
  json["forced"] = c.forced;
  json["notes"] = c.notes;
  return json;
}

Json to_json(const League& league) {
  Json table = Json::array();
  for (const auto& row : league.table) {
    Json cells = Json::array();
    for (const WinTieLoss& cell : row)
      cells.push_back({{"win", cell.win}, {"tie", cell.tie}, {"loss", cell.loss}});
    table.push_back(std::move(cells));
  }
  Json ranking = Json::array();
  for (const League::Rank& rank : league.ranking)
    ranking.push_back({{"model", league.labels[rank.side]},
                       {"strength", rank.strength},
                       {"stderr", rank.stderr_},
                       {"elo", {{"value", rank.elo}, {"low", rank.elo_low}, {"high", rank.elo_high}}}});
  return {{"task", league.task},     {"metric", league.metric}, {"samples", league.samples},
          {"models", league.labels}, {"table", table},          {"ranking", ranking}};
}

}  // namespace

void write_comparison_json(const ComparisonSet& set, std::ostream& out) {
  Json json = {{"schema", "micius.compare/1"}};
  if (set.comparisons.size() == 1) {
    json.update(to_json(set.comparisons.front()));
    for (const std::string& note : set.notes) json["notes"].push_back(note);
  } else {
    Json comparisons = Json::array(), leagues = Json::array();
    for (const Comparison& c : set.comparisons) comparisons.push_back(to_json(c));
    for (const League& league : set.leagues) leagues.push_back(to_json(league));
    json["comparisons"] = std::move(comparisons);
    json["leagues"] = std::move(leagues);
    json["notes"] = set.notes;
  }
  out << dump_json(json) << '\n';
}

}  // namespace micius
