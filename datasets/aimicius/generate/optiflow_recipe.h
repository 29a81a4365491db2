// How a plan is made, in words that a Python program and this one understand alike.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "optiflow_moves.h"
#include "plan/greedy.h"
#include "plan/machine.h"
#include "plan/plan.h"

namespace micius::aimicius::optiflow {

enum class Method { kNaive, kDirect, kRing, kDoubling, kHierarchical, kGreedy };

struct Recipe {
  Method method = Method::kNaive;
  bool as_list = true;         // the rounds one after the other, without barriers; naive has no other form
  std::vector<int> ring;       // kRing
  int group = 0;               // kHierarchical
  plan::GreedyOptions greedy;  // kGreedy
  // What this gives is made for the machine as it was before renumbered(machine, numbers), and then
  // renumbered.
  std::vector<int> numbers = {};
  std::vector<Move> moves = {};  // made to what this gives
};

// The machine whose GPU numbers[i] is GPU i of this one; what forwards keeps its number, so that routes stay.
plan::Machine renumbered(const plan::Machine& machine, const std::vector<int>& numbers);

// "naive", "ring", "ring/list", ...; "+moves" behind it where there are moves
std::string name_of(const Recipe& recipe);

// Absent where the machine cannot do it.
std::optional<plan::Plan> plan_of(const Recipe& recipe, const plan::Machine& machine, int chunks);

// As the task makes a program of it (tasks/optiflow_case.h), which prints plan_of(): the same steps in the
// same order.
Json json_of(const Recipe& recipe);

}  // namespace micius::aimicius::optiflow
