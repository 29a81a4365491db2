// Any text is lexed, parsed and walked. What must hold for all of them is checked here and ends the program
// where not.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "kql/names.h"
#include "kql/parser.h"

namespace micius::kql {
namespace {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "not so: %s\n", what);
  std::abort();
}

void check_tokens(const Tree& tree) {
  std::uint32_t at = 0;
  for (const Token& token : tree.tokens) {
    require(token.offset >= at, "tokens stand in order");
    at = token.end();
  }
  require(at <= tree.text.size(), "tokens lie in the text");
}

void check_nodes(const Tree& tree) {
  std::vector<bool> seen(tree.nodes.size());
  std::vector<NodeId> todo = {tree.root()};
  while (!todo.empty()) {
    const NodeId node = todo.back();
    todo.pop_back();
    std::uint32_t at = tree.nodes[node].begin;
    for (NodeId child = tree.first_child(node); child != kNoNode; child = tree.next(child)) {
      require(!seen[child], "a node has one parent");
      seen[child] = true;
      require(tree.error || tree.nodes[child].begin >= at, "children stand in order");
      at = tree.nodes[child].end;
      require(tree.error || at <= tree.nodes[node].end, "children lie in their parent");
      todo.push_back(child);
    }
  }
}

void check(std::string_view text) {
  const Tree tree = parse(text);
  check_tokens(tree);
  check_nodes(tree);
  if (tree.error)
    require(tree.error->offset <= text.size() && !tree.error->message.empty(), "an error has a place");
  const Names names = names_of(tree);
  require(names.operators.size() <= tree.tokens.size(), "an operator has a token");
}

}  // namespace
}  // namespace micius::kql

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  micius::kql::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
