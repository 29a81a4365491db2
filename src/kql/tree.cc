#include "kql/tree.h"

#include <algorithm>

#include "kql/lexer.h"

namespace micius::kql {

Place place_of(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, offset);
  const std::size_t start = before.rfind('\n');
  return {1 + static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n')),
          before.size() - (start == std::string_view::npos ? 0 : start + 1) + 1};
}

std::string string_value(const Tree& tree, std::uint32_t begin, std::uint32_t end) {
  std::string value;
  for (std::uint32_t at = begin; at < end; ++at)
    if (tree.tokens[at].kind == Tok::kStringLiteral) value += decode_string(tree.token_text(at));
  return value;
}

std::string name_value(const Tree& tree, NodeId name) {
  const Node& node = tree.nodes[name];
  if (node.kind == NodeKind::kBracketedName) return string_value(tree, node.begin, node.end);
  const bool braced = node.kind == NodeKind::kBracedName;
  std::string value;
  for (std::uint32_t at = node.begin + (braced ? 1 : 0); at < node.end - (braced ? 1 : 0); ++at)
    value += tree.token_text(at);
  return value;
}

std::string dump(const Tree& tree) {
  struct Open {
    NodeId node;
    std::size_t depth;
  };
  std::string out;
  std::vector<Open> todo = {{tree.root(), 0}};
  while (!todo.empty()) {
    const Open open = todo.back();
    todo.pop_back();
    const Node& node = tree.nodes[open.node];
    out += std::string(2 * open.depth, ' ') + std::to_string(static_cast<int>(node.kind)) + " " +
           std::string(tree.token_text(node.token)) + "\n";
    if (node.next != kNoNode) todo.push_back({node.next, open.depth});
    if (node.first != kNoNode) todo.push_back({node.first, open.depth + 1});
  }
  return out;
}

}  // namespace micius::kql
