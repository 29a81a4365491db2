// How a plan is made, in words that a Python program and this one understand alike.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "optiflow_moves.h"
#include "plan/greedy.h"
#include "plan/machine.h"
#include "plan/plan.h"

namespace micius::aimicius::optiflow {

enum class Method { kNaive, kDirect, kRing, kDoubling, kHierarchical, kGreedy };

struct Recipe {
  Method method = Method::kNaive;
  bool as_list = true;           // the rounds one after the other, without barriers; naive has no other form
  std::vector<int> ring;         // kRing
  int group = 0;                 // kHierarchical
  plan::GreedyOptions greedy;    // kGreedy
  std::vector<Move> moves = {};  // made to what this gives
};

// "naive", "ring", "ring/list", ...; "+moves" behind it where there are moves
std::string name_of(const Recipe& recipe);

// Absent where the machine cannot do it.
std::optional<plan::Plan> plan_of(const Recipe& recipe, const plan::Machine& machine, int chunks);

// The programs of baselines/*.py with their constants set.
class Programs {
 public:
  explicit Programs(const std::filesystem::path& folder);

  // Prints plan_of(): the same steps in the same order.
  std::string program_of(const Recipe& recipe, const plan::Machine& machine, int chunks) const;

 private:
  std::map<std::string, std::string> texts_;  // by file name without its ending
};

}  // namespace micius::aimicius::optiflow
