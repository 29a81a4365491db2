#include "optiflow_search.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "plan/baselines.h"

namespace micius::aimicius::optiflow {
namespace {

using plan::CostModel;
using plan::GreedyOptions;
using plan::Machine;

std::optional<Solution> timed(const CostModel& model, const Recipe& recipe) {
  const auto plan = plan_of(recipe, model.machine(), model.chunks_per_gpu());
  if (!plan) return std::nullopt;
  const plan::Outcome outcome = model.run(*plan);
  if (!outcome.valid) return std::nullopt;
  return Solution{recipe, outcome.latency_ps};
}

void keep_faster(Solution& best, const std::optional<Solution>& other) {
  if (other && other->latency_ps < best.latency_ps) best = *other;
}

std::vector<std::int64_t> speeds(const Machine& machine) {
  std::set<std::int64_t> all;
  for (const plan::Link& link : machine.links()) all.insert(link.mbps);
  return {all.begin(), all.end()};
}

class Search {
 public:
  Search(const CostModel& model, const std::vector<Solution>& start, Rng& rng)
      : model_(model),
        gpus_(model.machine().gpus()),
        speeds_(speeds(model.machine())),
        rng_(rng),
        best_(start.front()) {
    for (const Solution& one : start) keep_faster(best_, one);
    most_ = std::max(2, gpus_ * model.chunks_per_gpu());
  }

  void grid(std::size_t plans) {
    std::vector<GreedyOptions> all;
    for (const int budget : std::set<int>{0, 1, 2, 4, model_.chunks_per_gpu()}) {
      for (const std::int64_t speed : std::set<std::int64_t>{speeds_.front(), speeds_.back()}) {
        if (budget == 0 && speed != speeds_.front()) continue;
        for (const int first : std::set<int>{1, gpus_ / 2}) {
          for (const bool wait : {false, true})
            all.push_back({{}, first, budget, budget > 0 ? speed : 0, wait});
        }
      }
    }
    rng_.shuffle(all);
    both_forms({});
    for (std::size_t i = 0; i < std::min(all.size(), plans / 2); ++i) both_forms(all[i]);
  }

  void climb(std::size_t moves) {
    if (!greedy_) return;
    Solution now = *greedy_;
    for (std::size_t i = 0; i < moves; ++i) {
      const auto next = timed(model_, changed(now.recipe));
      if (next && next->latency_ps <= now.latency_ps) now = *next;
    }
    keep_faster(best_, now);
  }

  const Solution& best() const { return best_; }

 private:
  void both_forms(const GreedyOptions& options) {
    for (const bool list : {false, true}) {
      const auto solution = timed(model_, {Method::kGreedy, list, {}, 0, options});
      if (!solution) return;
      keep_faster(best_, solution);
      if (greedy_)
        keep_faster(*greedy_, solution);
      else
        greedy_ = solution;
    }
  }

  Recipe changed(Recipe recipe) {
    GreedyOptions& greedy = recipe.greedy;
    switch (rng_.below(6)) {
      case 0:
      case 1:
        if (greedy.order.empty()) {
          greedy.order.resize(static_cast<std::size_t>(gpus_));
          std::iota(greedy.order.begin(), greedy.order.end(), 0);
        }
        std::swap(greedy.order[rng_.below(greedy.order.size())],
                  greedy.order[rng_.below(greedy.order.size())]);
        break;
      case 2:
        greedy.first = static_cast<int>(rng_.below(static_cast<std::size_t>(gpus_)));
        break;
      case 3:
        greedy.most_chunks = static_cast<int>(1 + rng_.below(static_cast<std::size_t>(most_)));
        greedy.most_mbps = speeds_[rng_.below(speeds_.size())];
        break;
      case 4:
        greedy.wait = !greedy.wait;
        break;
      default:
        recipe.as_list = !recipe.as_list;
    }
    return recipe;
  }

  const CostModel& model_;
  int gpus_, most_ = 0;
  std::vector<std::int64_t> speeds_;
  Rng& rng_;
  Solution best_;
  std::optional<Solution> greedy_;  // the best greedy one
};

}  // namespace

std::vector<Solution> baselines(const CostModel& model) {
  const Machine& machine = model.machine();
  std::vector<Solution> all;
  const auto naive = timed(model, {Method::kNaive, true, {}, 0, {}});
  if (!naive) return all;
  all.push_back(*naive);
  std::vector<Recipe> recipes = {{Method::kDirect, false, {}, 0, {}},
                                 {Method::kDoubling, false, {}, 0, {}},
                                 {Method::kGreedy, false, {}, 0, {}}};
  if (const auto ring = plan::best_ring(machine)) recipes.push_back({Method::kRing, false, *ring, 0, {}});
  for (int group = 2; group < machine.gpus(); ++group) {
    if (machine.gpus() % group == 0) recipes.push_back({Method::kHierarchical, false, {}, group, {}});
  }
  for (Recipe& recipe : recipes) {
    for (const bool list : {false, true}) {
      recipe.as_list = list;
      if (const auto solution = timed(model, recipe)) all.push_back(*solution);
    }
  }
  return all;
}

Solution search(const CostModel& model, const std::vector<Solution>& start, std::size_t effort, Rng& rng) {
  const std::size_t plans =
      effort / static_cast<std::size_t>(model.machine().gpus() * model.chunks_per_gpu()) + 8;
  Search search(model, start, rng);
  search.grid(plans / 2);
  search.climb(plans / 2);
  return search.best();
}

Solution moved(const CostModel& model, const Solution& solution, Rng& rng) {
  constexpr std::size_t kTries = 2'000;
  Recipe recipe = solution.recipe;
  const auto plan = plan_of(recipe, model.machine(), model.chunks_per_gpu());
  if (!plan) return solution;
  recipe.moves = faster(model, *plan, kTries, rng);
  return timed(model, recipe).value_or(solution);
}

}  // namespace micius::aimicius::optiflow
