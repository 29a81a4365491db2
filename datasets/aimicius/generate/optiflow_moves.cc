#include "optiflow_moves.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace micius::aimicius::optiflow {
namespace {

using plan::CostModel;
using plan::Plan;
using plan::PlanKind;
using plan::Step;
using Rounds = std::vector<std::vector<Step>>;

Rounds rounds_of(const Plan& plan) {
  Rounds rounds;
  if (plan.kind == PlanKind::kSteps) {
    for (const Step& step : plan.steps) rounds.push_back({step});
    return rounds;
  }
  std::size_t begin = 0;
  for (const std::size_t end : plan.round_ends) {
    rounds.emplace_back(plan.steps.begin() + static_cast<std::ptrdiff_t>(begin),
                        plan.steps.begin() + static_cast<std::ptrdiff_t>(end));
    begin = end;
  }
  return rounds;
}

Plan plan_of(const Rounds& rounds, PlanKind kind) {
  Plan plan;
  for (const auto& round : rounds) plan.add_round(round);
  return kind == PlanKind::kSteps ? plan::as_list(std::move(plan)) : plan;
}

bool fits(const Rounds& rounds, const Move& move) {
  const auto has = [&](std::size_t round, std::size_t step) {
    return round < rounds.size() && step < rounds[round].size();
  };
  switch (move.kind) {
    case Move::Kind::kSwap:
      return has(move.round, move.step) && has(move.other_round, move.other_step);
    case Move::Kind::kSource:
      return has(move.round, move.step);
    case Move::Kind::kMerge:
      return move.round + 1 < rounds.size();
    case Move::Kind::kSplit:
      return move.step > 0 && has(move.round, move.step);
  }
  return false;
}

void apply(Rounds& rounds, const Move& move) {
  auto& round = rounds[move.round];
  const auto after = rounds.begin() + static_cast<std::ptrdiff_t>(move.round) + 1;
  switch (move.kind) {
    case Move::Kind::kSwap:
      std::swap(round[move.step], rounds[move.other_round][move.other_step]);
      break;
    case Move::Kind::kSource:
      round[move.step].src = move.source;
      break;
    case Move::Kind::kMerge:
      round.insert(round.end(), after->begin(), after->end());
      rounds.erase(after);
      break;
    case Move::Kind::kSplit: {
      const auto at = round.begin() + static_cast<std::ptrdiff_t>(move.step);
      std::vector<Step> second(at, round.end());
      round.erase(at, round.end());
      rounds.insert(after, std::move(second));
      break;
    }
  }
}

struct Cost {
  std::int64_t ps = 0;
  double load = 0;  // of the links, in ps squared
  bool operator<(const Cost& other) const { return ps != other.ps ? ps < other.ps : load < other.load; }
  Cost& operator+=(const Cost& other) {
    ps += other.ps;
    load += other.load;
    return *this;
  }
};

class Climber {
 public:
  Climber(const CostModel& model, const Plan& plan, Rng& rng)
      : model_(model),
        gpus_(static_cast<std::size_t>(model.machine().gpus())),
        kind_(plan.kind),
        rng_(rng),
        rounds_(rounds_of(plan)) {
    for (const auto& round : rounds_) costs_.push_back(cost_of(round));
    cost_ = total(rounds_, costs_);
  }

  void climb(std::size_t tries) {
    for (std::size_t i = 0; i < tries; ++i) {
      const std::optional<Move> move = drawn();
      if (move && fits(rounds_, *move)) attempt(*move);
    }
  }

  // Up to the last one that made the plan faster.
  std::vector<Move> kept() && {
    kept_.resize(useful_);
    return std::move(kept_);
  }

 private:
  // Of a round; nothing for a list, whose rounds are its steps.
  Cost cost_of(const std::vector<Step>& round) {
    if (kind_ == PlanKind::kSteps) return {};
    Cost cost{model_.round_ps(round), 0};
    load_.assign(model_.machine().links().size(), 0);
    for (const Step& step : round) {
      for (const int link : model_.machine().route(step.src, step.dst)) {
        double& load = load_[static_cast<std::size_t>(link)];
        const auto ps = static_cast<double>(model_.transfer_ps(link));
        cost.load += (2 * load + ps) * ps;
        load += ps;
      }
    }
    return cost;
  }

  Cost total(const Rounds& rounds, const std::vector<Cost>& costs) const {
    if (kind_ == PlanKind::kSteps) return {model_.run(plan_of(rounds, kind_)).latency_ps, 0};
    Cost sum;
    for (const Cost& cost : costs) sum += cost;
    return sum;
  }

  std::optional<Move> drawn() {
    Move move;
    move.kind = static_cast<Move::Kind>(rng_.below(kind_ == PlanKind::kSteps ? 2 : 4));
    std::tie(move.round, move.step) = some_step();
    if (move.kind == Move::Kind::kSwap) std::tie(move.other_round, move.other_step) = some_step();
    if (move.kind == Move::Kind::kSource) {
      const Step& step = rounds_[move.round][move.step];
      move.source = static_cast<int>(rng_.below(gpus_));
      if (move.source == step.src || move.source == step.dst) return std::nullopt;
      if (!model_.machine().connected(move.source, step.dst)) return std::nullopt;
    }
    if (move.kind == Move::Kind::kSwap && move.round == move.other_round) return std::nullopt;
    return move;
  }

  std::pair<std::size_t, std::size_t> some_step() {
    const std::size_t round = rng_.below(rounds_.size());
    return {round, rng_.below(rounds_[round].size())};
  }

  void attempt(const Move& move) {
    Rounds next = rounds_;
    apply(next, move);
    if (!valid(next)) return;
    std::vector<Cost> costs = costs_after(next, move);
    const Cost cost = total(next, costs);
    if (!(cost < cost_)) return;
    kept_.push_back(move);
    if (cost.ps < cost_.ps) useful_ = kept_.size();
    rounds_ = std::move(next);
    costs_ = std::move(costs);
    cost_ = cost;
  }

  std::vector<Cost> costs_after(const Rounds& next, const Move& move) {
    std::vector<Cost> costs = costs_;
    const auto at = costs.begin() + static_cast<std::ptrdiff_t>(move.round);
    if (move.kind == Move::Kind::kMerge) costs.erase(at + 1);
    if (move.kind == Move::Kind::kSplit) costs.insert(at + 1, cost_of(next[move.round + 1]));
    if (move.kind == Move::Kind::kSwap) costs[move.other_round] = cost_of(next[move.other_round]);
    costs[move.round] = cost_of(next[move.round]);
    return costs;
  }

  // No move changes who gets what, so that a plan stays complete, and free of redundant steps if it was.
  bool valid(const Rounds& rounds) {
    constexpr std::size_t kOwned = 0;
    const auto chunks = static_cast<std::size_t>(model_.chunks_per_gpu());
    const auto slot = [&](const Step& step, int gpu) {
      return (static_cast<std::size_t>(step.owner) * chunks + static_cast<std::size_t>(step.chunk)) * gpus_ +
             static_cast<std::size_t>(gpu);
    };
    since_.assign(gpus_ * chunks * gpus_, kOwned);  // the number of the round that brings it, from 1
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      for (const Step& step : rounds[i]) since_[slot(step, step.dst)] = i + 1;
    }
    for (std::size_t i = 0; i < rounds.size(); ++i) {
      for (const Step& step : rounds[i]) {
        if (since_[slot(step, step.src)] > i) return false;
      }
    }
    return true;
  }

  const CostModel& model_;
  std::size_t gpus_;
  PlanKind kind_;
  Rng& rng_;
  Rounds rounds_;
  std::vector<Cost> costs_;  // of the rounds
  Cost cost_;
  std::vector<Move> kept_;
  std::size_t useful_ = 0;
  std::vector<double> load_;        // reused
  std::vector<std::size_t> since_;  // reused
};

}  // namespace

std::optional<Plan> changed(const Plan& plan, std::span<const Move> moves) {
  Rounds rounds = rounds_of(plan);
  for (const Move& move : moves) {
    if (!fits(rounds, move)) return std::nullopt;
    apply(rounds, move);
  }
  return plan_of(rounds, plan.kind);
}

std::vector<Move> faster(const CostModel& model, const Plan& plan, std::size_t tries, Rng& rng) {
  Climber climber(model, plan, rng);
  climber.climb(tries);
  std::vector<Move> moves = std::move(climber).kept();
  if (moves.empty()) return moves;
  const std::int64_t least = model.run(*changed(plan, moves)).latency_ps;
  // Most of them only moved load about where it did not matter in the end.
  for (std::size_t i = moves.size(); i-- > 0;) {
    std::vector<Move> fewer = moves;
    fewer.erase(fewer.begin() + static_cast<std::ptrdiff_t>(i));
    const auto without = changed(plan, fewer);
    if (!without) continue;
    const plan::Outcome outcome = model.run(*without);
    if (outcome.valid && outcome.redundant == 0 && outcome.latency_ps <= least) moves = std::move(fewer);
  }
  return moves;
}

}  // namespace micius::aimicius::optiflow
