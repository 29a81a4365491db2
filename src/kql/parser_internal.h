// Recursive descent over the tokens. A rule gives the node that it made, or kNoNode where what it parses does
// not begin here (then it has taken no token). After the first error every rule sees the end of the text, so
// all loops end by themselves and nothing needs to ask whether there was one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kql/tree.h"

namespace micius::kql {

// What the value of an option (`kind=inner`) is.
enum class OptionValue : std::uint8_t {
  kAny,
  kDeclaration,
  kColumn,
  kColumns,
  kExpression,
  kReal,
  kParseKind
};

struct OptionRule {
  std::string_view name;
  OptionValue value = OptionValue::kAny;
};

// An operator's options: its own, by default beside those that stand anywhere (`hint.strategy`).
struct Options {
  std::span<const OptionRule> own = {};
  enum class Names : std::uint8_t { kOwnAndKnown, kOwn } names = Names::kOwnAndKnown;
  enum class Equals : std::uint8_t {
    kNeeded,
    kExpected
  } equals = Equals::kNeeded;  // else it is no option, or an error
};

// The token kinds that end a list, beside those that end all: brackets, `|`, `;` and the end. kOpen: nothing
// ends it but the lack of a comma.
enum class ListEnd : std::uint8_t {
  kOpen,
  kCommon,
  kBy,
  kWith,
  kSeries,
  kLimit,
  kApply,
  kScan,
  kBin,
  kPartitionedBy,
  kOptionName,
  kRenderName
};

// `has`, `=~`, `:` and their like: they bind closest.
bool is_text_operator(Tok kind);

class Parser {
 public:
  explicit Parser(Tree& tree);
  void query();

 private:
  using Rule = NodeId (Parser::*)();
  enum class Count : std::uint8_t { kAny, kOneOrMore };
  enum class Trailing : std::uint8_t { kNoComma, kComma };  // may a comma end the list?
  struct List {
    ListEnd end = ListEnd::kCommon;
    std::string_view expected = "an expression";
    Count count = Count::kAny;
    Trailing trailing = Trailing::kNoComma;
  };

  // Tokens.
  const Token& token(std::size_t ahead = 0) const;
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
  NodeId nested(Rule rule);
  NodeId on_large_stack(Rule rule);

  // Lists.
  void comma_list(NodeId parent, Rule element, const List& list);
  bool list_ends(ListEnd end, std::size_t ahead = 0) const;
  bool common_end(std::size_t ahead = 0) const;

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

  // Literals and types.
  NodeId literal();
  NodeId signed_number();
  NodeId strings();
  NodeId dynamic();
  NodeId json_value();
  NodeId json_value_unguarded();
  NodeId json_pair();
  NodeId type_of();
  NodeId type_of_element();
  NodeId cast_type();
  NodeId type(bool (*allowed)(Tok));
  NodeId typed_declaration();
  NodeId maybe_typed_declaration();
  NodeId schema_type();
  NodeId row_schema(Count count = Count::kAny);
  NodeId evaluate_schema();
  NodeId parameter();
  NodeId parameters();

  // Expressions.
  NodeId expression() { return pipe(); }
  NodeId unnamed() { return nested(&Parser::unnamed_unguarded); }
  NodeId unnamed_unguarded() { return binary(0); }
  NodeId binary(int level);
  NodeId binary_left(int level, int& below);
  NodeId binary_right(int level, Tok op, NodeId node);
  void in_list(NodeId node);
  bool is_query_ahead();
  bool pipe_before_end();
  NodeId unary();
  NodeId call_or_path();
  NodeId primary();
  NodeId named();
  NodeId named_value(NodeId node);
  NodeId argument();
  bool call_follows(std::size_t ahead = 0) const;
  NodeId call();
  NodeId call_path();
  NodeId parenthesized();
  NodeId index();
  NodeId selector();
  NodeId selector_or_call();
  NodeId scoped_selector();
  bool data_scope(NodeId parent);
  NodeId simple_path();
  NodeId entity_path();
  NodeId wildcard_entity();
  NodeId path_of(NodeId first, Rule step, Rule bracket);
  NodeId bracket_selector();
  NodeId converted(NodeKind kind);
  std::size_t dashed_length() const;
  std::size_t name_list_length() const;

  // Tables made in the text.
  NodeId data_table();
  NodeId contextual_data_table();
  NodeId external_data();
  void external_properties(NodeId parent);
  NodeId property();
  NodeId inline_external_table();
  bool schema_follows(std::size_t ahead);
  void inline_partitions(NodeId parent);
  NodeId partition_column();
  void path_format(NodeId parent);
  NodeId path_format_element();
  NodeId view_combine();
  NodeId entity_group();

  // Options.
  std::size_t option_length(const Options& options, std::size_t ahead = 0) const;
  static const OptionRule* own_option(const Options& options, std::string_view name);
  bool options(NodeId parent, const Options& options);
  void option_list(NodeId parent, const Options& options);
  NodeId listed_option();
  bool option(NodeId parent, const OptionRule& rule, ListEnd end = ListEnd::kOptionName);
  NodeId option_value(OptionValue value, ListEnd end);
  NodeId any_value();
  NodeId listed_column();

  // Operators, each from its keyword on.
  bool operator_follows() const;
  bool is_chart(std::size_t ahead) const;
  bool name_equals_follows() const;
  NodeId leading_operator();
  NodeId piped_operator();
  NodeId piped_operator_l_to_z();
  NodeId needed_operator() { return nested(&Parser::needed_operator_unguarded); }
  NodeId needed_operator_unguarded();
  NodeId pipe();
  NodeId stages(NodeId head);
  NodeId sub_pipe() { return stages(needed_operator()); }
  NodeId contextual_pipe();
  NodeId fork_pipe();
  NodeId keyword_alone(NodeKind kind);
  NodeId named_list(NodeKind kind, Count count);
  NodeId list_of(NodeKind kind, Rule element);
  NodeId one_expression(NodeKind kind, const Options& options);
  NodeId clause(Rule value, std::string_view expected = "an expression");
  void optional_clause(NodeId parent, Tok keyword, Rule value, std::string_view expected = "an expression");
  void clause_list(NodeId parent, Rule element, const List& list);
  NodeId as_operator();
  NodeId assert_schema();
  NodeId count();
  NodeId distinct();
  NodeId distinct_element();
  NodeId evaluate();
  NodeId facet();
  NodeId find();
  NodeId find_operand();
  NodeId find_column();
  bool find_in(NodeId parent);
  NodeId fork();
  NodeId get_schema();
  NodeId invoke();
  NodeId join();
  NodeId lookup();
  void join_on(NodeId parent);
  NodeId make_series();
  NodeId make_series_element();
  NodeId mv_apply();
  NodeId mv_expand();
  NodeId mv_element();
  void mv_list(NodeId parent, ListEnd end);
  void to_type(NodeId parent);
  NodeId parse_operator();
  NodeId parse_kv();
  NodeId partition();
  NodeId partition_by();
  NodeId project_reorder();
  NodeId reorder_element();
  NodeId by_name();
  NodeId range();
  NodeId reduce();
  NodeId render();
  NodeId sample_distinct();
  NodeId scan();
  NodeId scan_step();
  NodeId scan_assignment();
  NodeId search();
  NodeId sort();
  NodeId ordered();
  NodeId summarize();
  NodeId top();
  NodeId top_hitters();
  NodeId top_nested();
  NodeId top_nested_clause();
  NodeId union_operator();
  NodeId union_operand();
  NodeId macro_expand();
  NodeId graph_operator();
  NodeId make_graph();
  NodeId graph_table();
  NodeId graph_match(NodeKind kind, const Options& options);
  NodeId graph_where();
  NodeId graph_components();
  NodeId graph_pattern();
  NodeId graph_node();
  NodeId graph_edge();
  NodeId graph_to_table();
  NodeId graph_output();

  // Statements.
  void statements(NodeId parent);
  NodeId statement();
  bool statement_follows() const;
  NodeId let() { return nested(&Parser::let_unguarded); }
  NodeId let_unguarded();
  NodeId materialize();
  bool function_follows() const;
  NodeId function();
  NodeId body(Rule first_statements);
  NodeId body_statement();
  NodeId set();
  NodeId alias();
  NodeId declare_parameters();
  NodeId declare_pattern();
  NodeId pattern_match();
  NodeId restrict();

  Tree& tree_;
  std::uint32_t at_ = 0;    // the next token
  std::uint32_t last_ = 0;  // kEndOfText's
  std::size_t depth_ = 0;
  const char* stack_ = nullptr;  // where the stack in use stood when it was new
  std::size_t stack_size_ = 0;
  bool large_stack_ = false;
  const Options* listed_options_ = nullptr;  // of the list that is being parsed
  std::vector<bool> pipe_before_end_;        // by token; filled when first asked
  std::uint32_t schema_mark_ = 0;            // the next `:` or `)` from some token on, see schema_follows()
};

}  // namespace micius::kql
