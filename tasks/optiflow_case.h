// Optiflow's cases in their short form, as the tuning split has them.
#pragma once

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "base/json.h"

namespace micius {

// A machine in the short form, and back to the long one (the two matrices of the prompt). Short:
//   {"forwarders": ["NVSwitch"], "links": [[0.2, 450, [0, 8, 1, 8]]], "one_way": [[1.5, 25, [0, 1]]]}
// us and GB/s, then the pairs of nodes so linked: both ways, or from the first to the second alone. Nodes are
// numbers; the GPUs come first. Throws Error{kInvalidData} naming `where` for more than 128 nodes and for a
// link that names none of them.
Json short_machine(const Json& machine);
Json long_machine(const Json& machine, std::int64_t gpus, const std::string& where);

// Makes programs of recipes: the planners of datasets/aimicius/optiflow/baselines with their constants set.
// A recipe names one and its options:
//   {"by": "naive"} {"by": "direct", "list": true} {"by": "ring", "ring": [0, 1, 3, 2]}
//   {"by": "hierarchical", "group": 4}
//   {"by": "greedy", "order": [2, 0, 1], "first": 1, "budget": [4, 12.5], "wait": true}
// "list": the rounds one after the other, without barriers. "moves" ([[0, 1, 2, 0], ..]): what to change in
// the plan then; moves.py says what they mean. "numbers" ([2, 0, 1]): the plan is one for the machine before
// its GPU i became GPU numbers[i]; not of "naive".
class OptiflowPrograms {
 public:
  // Reads the files when the first program is asked for.
  explicit OptiflowPrograms(std::filesystem::path folder) : folder_(std::move(folder)) {}

  // `machine` in the long form. Throws Error{kInvalidData} naming `where` for what is not a recipe. Safe to
  // call from several threads.
  std::string program(const Json& recipe, const Json& machine, std::int64_t chunks, const std::string& where);

 private:
  const std::string& text(const std::string& name, const std::string& where);

  std::filesystem::path folder_;
  std::once_flag read_;
  std::map<std::string, std::string> texts_;  // by file name without its ending
};

}  // namespace micius
