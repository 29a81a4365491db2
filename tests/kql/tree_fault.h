// What holds for the tree of any text, for tests and the fuzzer.
#pragma once

#include <string_view>
#include <vector>

#include "kql/tree.h"

namespace micius::kql {

// What is wrong with the tree, or "". No node has two parents; where there is no error, every child lies in
// its parent, after the one before it.
inline std::string_view tree_fault(const Tree& tree) {
  std::vector<bool> seen(tree.nodes.size());
  std::vector<NodeId> todo = {tree.root()};
  while (!todo.empty()) {
    const NodeId node = todo.back();
    todo.pop_back();
    std::uint32_t at = tree.nodes[node].begin;
    for (NodeId child = tree.first_child(node); child != kNoNode; child = tree.next(child)) {
      if (seen[child]) return "a node has two parents";
      seen[child] = true;
      if (!tree.error && tree.nodes[child].begin < at) return "children do not stand in order";
      at = tree.nodes[child].end;
      if (!tree.error && at > tree.nodes[node].end) return "a child is not in its parent";
      todo.push_back(child);
    }
  }
  return "";
}

}  // namespace micius::kql
