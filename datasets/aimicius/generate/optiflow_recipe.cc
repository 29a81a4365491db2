#include "optiflow_recipe.h"

#include <utility>

#include "plan/baselines.h"

namespace micius::aimicius::optiflow {
namespace {

using plan::Machine;
using plan::Plan;

const char* word_of(Method method) {
  switch (method) {
    case Method::kNaive:
      return "naive";
    case Method::kDirect:
      return "direct";
    case Method::kRing:
      return "ring";
    case Method::kDoubling:
      return "doubling";
    case Method::kHierarchical:
      return "hierarchical";
    case Method::kGreedy:
      return "greedy";
  }
  return "";
}

std::optional<Plan> rounds_of(const Recipe& recipe, const Machine& machine, int chunks) {
  switch (recipe.method) {
    case Method::kNaive:
      return plan::naive_plan(machine, chunks);
    case Method::kDirect:
      return plan::direct_plan(machine, chunks);
    case Method::kRing:
      return plan::ring_plan(recipe.ring, chunks);
    case Method::kDoubling:
      return plan::doubling_plan(machine, chunks);
    case Method::kHierarchical:
      return plan::hierarchical_plan(machine, chunks, recipe.group);
    case Method::kGreedy:
      return plan::greedy_plan(machine, chunks, recipe.greedy);
  }
  return std::nullopt;
}

Json json_of(const Move& move) {
  switch (move.kind) {
    case Move::Kind::kSwap:
      return {move.round, move.step, move.other_round, move.other_step};
    case Move::Kind::kSource:
      return {move.round, move.step, move.source};
    case Move::Kind::kSplit:
      return {move.round, move.step};
    case Move::Kind::kMerge:
      break;
  }
  return Json::array({move.round});
}

}  // namespace

std::string name_of(const Recipe& recipe) {
  const std::string word = word_of(recipe.method);
  return word + (recipe.as_list && recipe.method != Method::kNaive ? "/list" : "") +
         (recipe.moves.empty() ? "" : "+moves");
}

Machine renumbered(const Machine& machine, const std::vector<int>& numbers) {
  const auto number = [&](int node) {
    return node < machine.gpus() ? numbers[static_cast<std::size_t>(node)] : node;
  };
  std::vector<plan::Link> links = machine.links();
  for (plan::Link& link : links) link.from = number(link.from), link.to = number(link.to);
  return {machine.gpus(), machine.nodes(), std::move(links), "a renumbered machine"};
}

std::optional<Plan> plan_of(const Recipe& recipe, const Machine& machine, int chunks) {
  if (!recipe.numbers.empty()) {
    Recipe before = recipe;
    before.numbers.clear();
    std::vector<int> back(recipe.numbers.size());
    for (std::size_t i = 0; i < back.size(); ++i)
      back[static_cast<std::size_t>(recipe.numbers[i])] = static_cast<int>(i);
    std::optional<Plan> plan = plan_of(before, renumbered(machine, back), chunks);
    if (!plan) return plan;
    for (plan::Step& step : plan->steps) {
      for (int* gpu : {&step.owner, &step.src, &step.dst})
        *gpu = recipe.numbers[static_cast<std::size_t>(*gpu)];
    }
    return plan;
  }
  std::optional<Plan> plan = rounds_of(recipe, machine, chunks);
  if (plan && recipe.as_list) plan = plan::as_list(*std::move(plan));
  if (plan && !recipe.moves.empty()) return changed(*plan, recipe.moves);
  return plan;
}

Json json_of(const Recipe& recipe) {
  Json json = {{"by", word_of(recipe.method)}};
  if (recipe.as_list && recipe.method != Method::kNaive) json["list"] = true;
  if (recipe.method == Method::kRing) json["ring"] = recipe.ring;
  if (recipe.method == Method::kHierarchical) json["group"] = recipe.group;
  const plan::GreedyOptions& greedy = recipe.greedy;
  if (!greedy.order.empty()) json["order"] = greedy.order;
  if (greedy.first) json["first"] = *greedy.first;
  if (greedy.most_chunks > 0) {
    const std::int64_t mbps = greedy.most_mbps;
    json["budget"] = {greedy.most_chunks,
                      mbps % 1000 == 0 ? Json(mbps / 1000) : Json(static_cast<double>(mbps) / 1000)};
  }
  if (greedy.wait) json["wait"] = true;
  if (!recipe.numbers.empty()) json["numbers"] = recipe.numbers;
  for (const Move& move : recipe.moves) json["moves"].push_back(json_of(move));
  return json;
}

}  // namespace micius::aimicius::optiflow
