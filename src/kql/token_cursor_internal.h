// The parser's place among the tokens, the nodes it makes, and names, which are told by looking ahead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "kql/tree.h"

namespace micius::kql {

// `has`, `=~`, `:` and their like: they bind closest.
bool is_text_operator(Tok kind);

class TokenCursor {
 public:
  explicit TokenCursor(Tree& tree);

 protected:
  // Tokens.
  const Token& token(std::size_t ahead = 0) const {
    const std::size_t at = at_ + ahead;
    return tree_.tokens[at < last_ ? at : last_];
  }
  Tok kind(std::size_t ahead = 0) const { return token(ahead).kind; }
  std::string_view text(std::size_t ahead = 0) const;
  bool accept(Tok kind);
  void expect(Tok kind);
  void expect_text(std::string_view text);
  std::size_t glued_length(std::string_view text, std::size_t ahead = 0) const;  // 0: other tokens
  bool accept_glued(std::string_view text);
  bool accept_one_of(std::span<const std::string_view> texts);
  std::string found() const;
  void fail(std::string_view expected);
  void fail_at(std::uint32_t offset, std::string message);
  NodeId needed(NodeId node, std::string_view expected);

  // Nodes.
  NodeId make(NodeKind kind, std::uint32_t token);  // begins at `token`
  NodeId make(NodeKind kind) { return make(kind, at_); }
  NodeId take(NodeKind kind, std::uint32_t count = 1);
  void add(NodeId parent, NodeId child);
  NodeId close(NodeId node);
  NodeId wrap(NodeKind kind, std::uint32_t token, NodeId child);
  bool common_end(std::size_t ahead = 0) const;  // does what ends every list stand there?

  // Names: how many tokens the name that begins there has, 0 if none does.
  std::size_t name_length(std::size_t ahead = 0) const;
  std::size_t extended_name_length(std::size_t ahead = 0) const;
  std::size_t taken_name_length() const;
  std::size_t bracketed_length(std::size_t ahead) const;
  std::size_t braced_length(std::size_t ahead) const;
  std::size_t wildcard_length(std::size_t ahead = 0) const;
  std::size_t strings_length(std::size_t ahead) const;
  bool is_name(std::size_t ahead = 0) const;
  bool is_extended_name(std::size_t ahead = 0) const;
  bool keyword_in_name_position() const;
  NodeId name_of_length(std::size_t length);
  NodeId name();
  NodeId extended_name();
  NodeId declaration();
  NodeId extended_declaration();
  NodeId wildcard();
  NodeId bracketed_wildcard();
  NodeId wildcard_or_name();

  Tree& tree_;
  std::uint32_t at_ = 0;    // the next token
  std::uint32_t last_ = 0;  // kEndOfText's
};

}  // namespace micius::kql
