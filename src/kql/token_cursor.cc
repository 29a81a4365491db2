#include <algorithm>
#include <utility>

#include "base/text.h"
#include "kql/token_cursor_internal.h"

namespace micius::kql {

TokenCursor::TokenCursor(Tree& tree)
    : tree_(tree), last_(static_cast<std::uint32_t>(tree.tokens.size() - 1)) {
  tree_.nodes.reserve(tree_.tokens.size() * 3 / 2 + 8);
  tree_.nodes.emplace_back();
}

std::string_view TokenCursor::text(std::size_t ahead) const {
  return tree_.token_text(std::min<std::size_t>(at_ + ahead, last_));
}

bool TokenCursor::accept(Tok wanted) {
  if (kind() != wanted) return false;
  ++at_;
  return true;
}

void TokenCursor::expect(Tok wanted) {
  if (accept(wanted)) return;
  const std::string_view name = kql::token_text(wanted);
  fail(name.empty() ? std::string("a name") : "'" + std::string(name) + "'");
}

void TokenCursor::expect_text(std::string_view wanted) {
  if (!accept_glued(wanted)) fail("'" + std::string(wanted) + "'");
}

std::size_t TokenCursor::glued_length(std::string_view wanted, std::size_t ahead) const {
  for (std::size_t count = 0; kind(ahead + count) != Tok::kEndOfText; ++count) {
    if (count > 0 && !token(ahead + count).glued) return 0;
    const std::string_view part = text(ahead + count);
    if (!wanted.starts_with(part)) return 0;
    wanted.remove_prefix(part.size());
    if (wanted.empty()) return count + 1;
  }
  return 0;
}

bool TokenCursor::accept_glued(std::string_view wanted) {
  const std::size_t length = glued_length(wanted);
  at_ += static_cast<std::uint32_t>(length);
  return length > 0;
}

bool TokenCursor::accept_one_of(std::span<const std::string_view> texts) {
  return std::any_of(texts.begin(), texts.end(), [&](std::string_view one) { return accept_glued(one); });
}

// The next token, for a message.
std::string TokenCursor::found() const {
  return kind() == Tok::kEndOfText ? "the end" : "'" + shorten(visible_line(text()), 40) + "'";
}

void TokenCursor::fail(std::string_view expected) {
  if (!tree_.error) fail_at(token().offset, "expected " + std::string(expected) + ", not " + found());
}

void TokenCursor::fail_at(std::uint32_t offset, std::string message) {
  if (!tree_.error) tree_.error = SyntaxError{offset, std::move(message)};
  at_ = last_;
}

NodeId TokenCursor::needed(NodeId node, std::string_view expected) {
  if (node == kNoNode) fail(expected);
  return node;
}

NodeId TokenCursor::make(NodeKind kind, std::uint32_t token) {
  tree_.nodes.push_back({kind, token, token, token, kNoNode, kNoNode, kNoNode});
  return static_cast<NodeId>(tree_.nodes.size() - 1);
}

NodeId TokenCursor::take(NodeKind kind, std::uint32_t count) {
  const NodeId node = make(kind);
  at_ += count;
  return close(node);
}

void TokenCursor::add(NodeId parent, NodeId child) {
  if (child == kNoNode) return;
  Node& node = tree_.nodes[parent];
  if (node.first == kNoNode) {
    node.first = child;
  } else {
    tree_.nodes[node.last].next = child;
  }
  node.last = child;
}

NodeId TokenCursor::close(NodeId node) {
  tree_.nodes[node].end = at_;
  return node;
}

// A node around `child` that begins where it does; `token` says most.
NodeId TokenCursor::wrap(NodeKind kind, std::uint32_t token, NodeId child) {
  const NodeId node = make(kind, token);
  tree_.nodes[node].begin = tree_.nodes[child].begin;
  add(node, child);
  return node;
}

bool TokenCursor::common_end(std::size_t ahead) const {
  switch (kind(ahead)) {
    case Tok::kCloseParen:
    case Tok::kCloseBracket:
    case Tok::kCloseBrace:
    case Tok::kBar:
    case Tok::kSemicolon:
    case Tok::kEndOfText:
      return true;
    default:
      return false;
  }
}

}  // namespace micius::kql
