#include "kql/parser.h"

#include <algorithm>
#include <exception>
#include <pthread.h>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "kql/lexer.h"
#include "kql/parser_internal.h"

namespace micius::kql {
namespace {

// Beyond this much of the caller's stack the parser goes on with one of its own. Only what is used of that is
// memory.
constexpr std::size_t kSmallStack = 256 * 1024;
constexpr std::size_t kLargeStack = std::size_t{512} * 1024 * 1024;
constexpr std::size_t kStackReserve = 1024 * 1024;

const char* stack_pointer() { return static_cast<const char*>(__builtin_frame_address(0)); }

}  // namespace

Parser::Parser(Tree& tree) : TokenCursor(tree), stack_(stack_pointer()), stack_size_(kSmallStack) {}

void Parser::query() {
  const NodeId root = make(NodeKind::kQuery);
  while (accept(Tok::kDirective)) {
  }
  if (kind() == Tok::kDot) fail_at(token().offset, "expected a query, not a management command");
  statements(root);
  if (kind() != Tok::kEndOfText) fail("the end of the query");
  close(root);
}

NodeId Parser::nested(Rule rule) {
  if (depth_ >= kMaxDepth) {
    fail_at(token().offset, "nested deeper than " + std::to_string(kMaxDepth) + " levels");
    return kNoNode;
  }
  const char* now = stack_pointer();
  const auto used = static_cast<std::size_t>(now < stack_ ? stack_ - now : now - stack_);
  if (used > stack_size_) return on_large_stack(rule);
  ++depth_;
  const NodeId node = (this->*rule)();
  --depth_;
  return node;
}

NodeId Parser::on_large_stack(Rule rule) {
  struct Job {
    Parser* parser;
    Rule rule;
    NodeId node;
    std::exception_ptr error;
  } job = {this, rule, kNoNode, nullptr};
  const auto run = [](void* data) -> void* {
    Job& todo = *static_cast<Job*>(data);
    todo.parser->stack_ = stack_pointer();
    try {
      todo.node = todo.parser->nested(todo.rule);
    } catch (...) {
      todo.error = std::current_exception();
    }
    return nullptr;
  };
  const auto stack = std::exchange(stack_, nullptr);
  const bool already = std::exchange(large_stack_, true);
  const auto size = std::exchange(stack_size_, kLargeStack - kStackReserve);
  pthread_t thread{};
  pthread_attr_t attributes{};
  bool started = false;
  if (!already && pthread_attr_init(&attributes) == 0) {
    started = pthread_attr_setstacksize(&attributes, kLargeStack) == 0 &&
              pthread_create(&thread, &attributes, run, &job) == 0 && pthread_join(thread, nullptr) == 0;
    pthread_attr_destroy(&attributes);
  }
  stack_ = stack, stack_size_ = size, large_stack_ = already;
  if (already) fail_at(token().offset, "nested too deeply");
  if (!started && !already)
    micius::fail(ErrorCode::kIo, "no stack of {} MiB could be had to parse a deeply nested query",
                 kLargeStack >> 20);
  if (job.error) std::rethrow_exception(job.error);
  return job.node;
}

void Parser::comma_list(NodeId parent, Rule element, const List& list) {
  NodeId node = list_ends(list.end) ? kNoNode : (this->*element)();
  if (node == kNoNode && (kind() == Tok::kComma || list.count == Count::kOneOrMore)) fail(list.expected);
  while (node != kNoNode) {
    add(parent, node);
    if (kind() == Tok::kEndOfText || list_ends(list.end)) return;
    if (accept(Tok::kComma)) {
      node = list_ends(list.end) ? kNoNode : (this->*element)();
      if (node == kNoNode && list.trailing == Trailing::kNoComma) fail(list.expected);
    } else if (list.end == ListEnd::kOpen) {
      return;
    } else {
      // An element here lacks its comma; anything else is for the rule around the list to judge.
      const std::uint32_t next = token().offset;
      const std::string what = found();
      if ((this->*element)() != kNoNode) fail_at(next, "expected ',', not " + what);
      return;
    }
  }
}

bool Parser::list_ends(ListEnd end, std::size_t ahead) const {
  constexpr std::string_view kRenderNames[] = {"kind", "title", "accumulate", "with", "by"};
  const Tok next = kind(ahead);
  switch (end) {
    case ListEnd::kOpen:
      return false;
    case ListEnd::kRenderName:
      return std::find(std::begin(kRenderNames), std::end(kRenderNames), text(ahead)) !=
             std::end(kRenderNames);
    case ListEnd::kOptionName: {
      const std::size_t name = next == Tok::kComma ? ahead + 1 : ahead;
      return option_length({listed_options_->own}, name) > 0 || common_end(name);
    }
    case ListEnd::kBin:
      return old_bin_follows(ahead) || common_end(ahead);
    case ListEnd::kBy:
      return next == Tok::kBy || common_end(ahead);
    case ListEnd::kWith:
      return next == Tok::kWith || common_end(ahead);
    case ListEnd::kSeries:
      return next == Tok::kOn || next == Tok::kFrom || next == Tok::kIn || common_end(ahead);
    case ListEnd::kLimit:
      return next == Tok::kLimit || common_end(ahead);
    case ListEnd::kApply:
      // `on = a`, `on, b` and `on to typeof(..)` name columns.
      if (next != Tok::kLimit && next != Tok::kId && next != Tok::kOn) return common_end(ahead);
      return kind(ahead + 1) != Tok::kEqual && kind(ahead + 1) != Tok::kComma && kind(ahead + 1) != Tok::kTo;
    case ListEnd::kScan:
      return next == Tok::kPartition || next == Tok::kOrder || next == Tok::kBy || next == Tok::kDeclare ||
             next == Tok::kWith || common_end(ahead);
    case ListEnd::kPartitionedBy:
      return next == Tok::kPartitionedBy || common_end(ahead);
    case ListEnd::kCommon:
      return common_end(ahead);
  }
  return true;
}

Tree parse(std::string_view text) {
  Tree tree;
  tree.text = text;
  Lexed lexed = lex(text);
  tree.tokens = std::move(lexed.tokens);
  Parser(tree).query();
  if (!lexed.errors.empty() && (!tree.error || lexed.errors[0].offset <= tree.error->offset))
    tree.error = SyntaxError{lexed.errors[0].offset, lexed.errors[0].message};
  return tree;
}

}  // namespace micius::kql
