// Recursive descent over the tokens. A rule gives the node that it made, or kNoNode where what it parses does
// not begin here (then it has taken no token). After the first error every rule sees the end of the text, so
// all loops end by themselves and nothing needs to ask whether there was one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "kql/token_cursor_internal.h"

namespace micius::kql {

// What the value of an option (`kind=inner`) is.
enum class OptionValue : std::uint8_t {
  kAny,
  kDeclaration,
  kColumn,
  kColumns,
  kExpression,
  kParseKind,
  kConversionKind
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

class Parser : private TokenCursor {
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

  NodeId nested(Rule rule);
  NodeId on_large_stack(Rule rule);

  // Lists.
  void comma_list(NodeId parent, Rule element, const List& list);
  bool list_ends(ListEnd end, std::size_t ahead = 0) const;

  // Literals and types.
  NodeId literal(), signed_number(), strings(), dynamic(), json_value(), json_value_unguarded();
  NodeId json_pair(), type_of(), type_of_element(), cast_type();
  NodeId type(bool (*allowed)(Tok));
  NodeId typed_declaration(), maybe_typed_declaration(), schema_type();
  NodeId row_schema(Count count = Count::kAny);
  NodeId evaluate_schema(), parameter(), parameters();

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
  NodeId unary(), call_or_path(), primary(), named();
  NodeId named_value(NodeId node);
  NodeId argument();
  bool call_follows(std::size_t ahead = 0) const;
  NodeId call(), call_path(), parenthesized(), index(), selector(), selector_or_call();
  NodeId scoped_selector();
  bool data_scope(NodeId parent);
  NodeId simple_path(), entity_path(), wildcard_entity();
  NodeId path_of(NodeId first, Rule step, Rule bracket);
  NodeId bracket_selector();
  NodeId converted(NodeKind kind);
  std::size_t dashed_length() const;
  std::size_t name_list_length() const;

  // Tables made in the text.
  NodeId data_table(), contextual_data_table(), external_data();
  void external_properties(NodeId parent);
  NodeId property(), inline_external_table();
  bool schema_follows(std::size_t ahead);
  void inline_partitions(NodeId parent);
  NodeId partition_column();
  void path_format(NodeId parent);
  NodeId path_format_element(), view_combine(), entity_group();

  // Options.
  std::size_t option_length(const Options& options, std::size_t ahead = 0) const;
  static const OptionRule* own_option(const Options& options, std::string_view name);
  bool options(NodeId parent, const Options& options);
  void option_list(NodeId parent, const Options& options);
  NodeId one_option(const Options& options);
  NodeId listed_option();
  bool option(NodeId parent, const OptionRule& rule, ListEnd end = ListEnd::kOptionName);
  NodeId option_value(OptionValue value, ListEnd end);
  NodeId any_value(), listed_column();

  // Operators, each from its keyword on.
  bool operator_follows() const;
  bool is_chart(std::size_t ahead) const;
  bool name_equals_follows() const;
  bool old_bin_follows(std::size_t ahead = 0) const;
  NodeId leading_operator(), piped_operator(), piped_operator_l_to_p(), piped_operator_r_to_z();
  NodeId needed_operator() { return nested(&Parser::needed_operator_unguarded); }
  NodeId needed_operator_unguarded(), pipe();
  NodeId stages(NodeId head);
  NodeId sub_pipe() { return stages(needed_operator()); }
  NodeId contextual_pipe(), fork_pipe();
  NodeId keyword_alone(NodeKind kind);
  NodeId named_list(NodeKind kind, Count count);
  NodeId list_of(NodeKind kind, Rule element);
  NodeId one_expression(NodeKind kind, const Options& options);
  NodeId clause(Rule value, std::string_view expected = "an expression");
  void optional_clause(NodeId parent, Tok keyword, Rule value, std::string_view expected = "an expression");
  void clause_list(NodeId parent, Rule element, const List& list);
  NodeId as_operator(), assert_schema(), count(), distinct(), distinct_element(), evaluate(), facet();
  NodeId find(), find_operand(), find_column();
  bool find_in(NodeId parent);
  NodeId fork(), get_schema(), invoke(), join(), lookup();
  void join_on(NodeId parent);
  NodeId make_series(), make_series_element(), mv_apply(), mv_expand(), mv_element();
  void to_type(NodeId parent);
  NodeId parse_operator(), parse_kv(), partition(), partition_by(), reorder_element();
  NodeId by_name(), range(), reduce(), render(), sample_distinct(), scan(), scan_step();
  NodeId scan_assignment(), search(), sort(), ordered(), summarize(), top(), top_hitters(), top_nested();
  NodeId top_nested_clause(), union_operator(), union_operand(), macro_expand(), graph_operator();
  NodeId make_graph(), graph_table();
  NodeId graph_match(NodeKind kind, const Options& options);
  NodeId graph_where(), graph_components(), graph_pattern(), graph_node(), graph_edge();
  NodeId graph_to_table(), graph_output();

  // Statements.
  void statements(NodeId parent);
  NodeId statement();
  bool statement_follows() const;
  NodeId let() { return nested(&Parser::let_unguarded); }
  NodeId let_unguarded(), materialize();
  bool function_follows() const;
  NodeId function();
  NodeId body(Rule first_statements);
  NodeId body_statement(), set(), alias(), declare_parameters(), declare_pattern(), pattern_match();
  NodeId restrict();

  std::size_t depth_ = 0;
  const char* stack_ = nullptr;  // where the stack in use stood when it was new
  std::size_t stack_size_ = 0;
  bool large_stack_ = false;
  const Options* listed_options_ = nullptr;  // of the list that is being parsed
  std::vector<bool> pipe_before_end_;        // by token; filled when first asked
  std::uint32_t schema_mark_ = 0;            // the next `:` or `)` from some token on, see schema_follows()
};

}  // namespace micius::kql
