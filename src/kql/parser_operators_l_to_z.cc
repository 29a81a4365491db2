// The operators from `lookup` to `where`.
#include <algorithm>

#include "kql/parser_internal.h"

namespace micius::kql {
namespace {

constexpr Options kAfterwards = {.equals = Options::Equals::kExpected};

constexpr OptionRule kParseOptions[] = {{"kind", OptionValue::kParseKind}, {"flags"}};
constexpr OptionRule kParseKvOptions[] = {{"pair_delimiter"}, {"kv_delimiter"}, {"regex"},
                                          {"quote"},          {"escape"},       {"greedy"}};
constexpr OptionRule kReduceOptions[] = {{"threshold"}, {"characters"}};
constexpr OptionRule kUnionOptions[] = {{"best_effort"}};
constexpr OptionRule kRenderOptions[] = {{"kind"},
                                         {"title", OptionValue::kExpression},
                                         {"accumulate"},
                                         {"xcolumn", OptionValue::kColumn},
                                         {"ycolumns", OptionValue::kColumns},
                                         {"anomalycolumns", OptionValue::kColumns},
                                         {"series", OptionValue::kColumns},
                                         {"xtitle", OptionValue::kExpression},
                                         {"ytitle", OptionValue::kExpression},
                                         {"xaxis"},
                                         {"yaxis"},
                                         {"legend"},
                                         {"ysplit"},
                                         {"ymin"},
                                         {"ymax"},
                                         {"xmin"},
                                         {"xmax"}};

constexpr std::string_view kCharts[] = {
    "table",        "list",       "barchart",  "piechart",         "ladderchart",  "timechart", "linechart",
    "anomalychart", "pivotchart", "areachart", "stackedareachart", "scatterchart", "timepivot", "columnchart",
    "timeline",     "3Dchart",    "card",      "treemap",          "plotly",       "graph",     "sankey"};

}  // namespace

bool Parser::is_chart(std::size_t ahead) const {
  return std::find(std::begin(kCharts), std::end(kCharts), text(ahead)) != std::end(kCharts);
}

bool Parser::name_equals_follows() const {
  const std::size_t length = name_length();
  return length > 0 && kind(length) == Tok::kEqual;
}

NodeId Parser::piped_operator_l_to_p() {
  switch (kind()) {
    case Tok::kLookup:
      return lookup();
    case Tok::kMakeSeries:
      return make_series();
    case Tok::kMvApply:
    case Tok::kMvDashApply:
      return mv_apply();
    case Tok::kMvExpand:
    case Tok::kMvDashExpand:
      return mv_expand();
    case Tok::kParse:
    case Tok::kParseWhere:
      return parse_operator();
    case Tok::kParseKv:
      return parse_kv();
    case Tok::kPartitionBy:
      return partition_by();
    case Tok::kPartition:
      return partition();
    case Tok::kProject:
      return named_list(NodeKind::kProject, Count::kAny);
    case Tok::kProjectAway:
      return list_of(NodeKind::kProjectAway, &Parser::wildcard_or_name);
    case Tok::kProjectKeep:
      return list_of(NodeKind::kProjectKeep, &Parser::wildcard_or_name);
    case Tok::kProjectRename:
      return named_list(NodeKind::kProjectRename, Count::kAny);
    case Tok::kProjectReorder:
      return list_of(NodeKind::kProjectReorder, &Parser::reorder_element);
    case Tok::kProjectByNames:
      return list_of(NodeKind::kProjectByNames, &Parser::by_name);
    default:
      return piped_operator_r_to_z();
  }
}

NodeId Parser::piped_operator_r_to_z() {
  switch (kind()) {
    case Tok::kRange:
      return range();
    case Tok::kReduce:
      return reduce();
    case Tok::kRender:
      return render();
    case Tok::kSample:
      return one_expression(NodeKind::kSample, {});
    case Tok::kSampleDistinct:
      return sample_distinct();
    case Tok::kScan:
      return scan();
    case Tok::kSearch:
      return search();
    case Tok::kSerialize:
      return named_list(NodeKind::kSerialize, Count::kAny);
    case Tok::kSort:
    case Tok::kOrder:
      return sort();
    case Tok::kSummarize:
      return summarize();
    case Tok::kTake:
    case Tok::kLimit:
      return one_expression(NodeKind::kTake, {});
    case Tok::kTop:
      return top();
    case Tok::kTopHitters:
      return top_hitters();
    case Tok::kTopNested:
      return top_nested();
    case Tok::kUnion:
      return union_operator();
    default:
      return kNoNode;
  }
}

NodeId Parser::lookup() {
  const NodeId node = take(NodeKind::kLookup);
  options(node, {});
  add(node, needed(unnamed(), "a table"));
  if (kind() == Tok::kOn) {
    join_on(node);
  } else {
    fail("'on'");
  }
  return close(node);
}

NodeId Parser::make_series() {
  const NodeId node = take(NodeKind::kMakeSeries);
  options(node, {});
  comma_list(node, &Parser::make_series_element, {.end = ListEnd::kSeries, .count = Count::kOneOrMore});
  if (kind() != Tok::kOn) fail("'on'");
  optional_clause(node, Tok::kOn, &Parser::named);
  if (kind() == Tok::kFrom || kind() == Tok::kTo || kind() == Tok::kStep) {
    optional_clause(node, Tok::kFrom, &Parser::unnamed);
    optional_clause(node, Tok::kTo, &Parser::unnamed);
    if (kind() != Tok::kStep) fail("'step'");
    optional_clause(node, Tok::kStep, &Parser::unnamed);
  } else {
    expect(Tok::kIn);
    expect(Tok::kRange);
    expect(Tok::kOpenParen);
    comma_list(node, &Parser::named, {});
    expect(Tok::kCloseParen);
  }
  if (kind() == Tok::kBy)
    clause_list(node, &Parser::named, {.end = ListEnd::kOpen, .count = Count::kOneOrMore});
  return close(node);
}

// sum(x) default=0
NodeId Parser::make_series_element() {
  const NodeId element = named();
  if (element == kNoNode || kind() != Tok::kDefault) return element;
  const NodeId node = wrap(NodeKind::kClause, at_++, element);
  expect(Tok::kEqual);
  add(node, needed(named(), "an expression"));
  return close(node);
}

// to typeof(long)
void Parser::to_type(NodeId parent) {
  if (!accept(Tok::kTo)) return;
  add(parent, needed(kind() == Tok::kTypeOf ? type_of() : kNoNode, "typeof(..)"));
}

NodeId Parser::mv_element() {
  if (kind() == Tok::kTo) return kNoNode;
  const NodeId element = named();
  if (element == kNoNode || kind() != Tok::kTo) return element;
  const NodeId node = wrap(NodeKind::kTypedColumn, at_, element);
  to_type(node);
  return close(node);
}

NodeId Parser::mv_expand() {
  const NodeId node = take(NodeKind::kMvExpand);
  options(node, {});
  comma_list(node, &Parser::mv_element, {.end = ListEnd::kLimit, .count = Count::kOneOrMore});
  optional_clause(node, Tok::kLimit, &Parser::unnamed);
  return close(node);
}

NodeId Parser::mv_apply() {
  const NodeId node = take(NodeKind::kMvApply);
  options(node, {});
  if (kind() == Tok::kTo) {  // the column is left out
    to_type(node);
  } else {
    comma_list(node, &Parser::mv_element, {.end = ListEnd::kApply, .count = Count::kOneOrMore});
  }
  optional_clause(node, Tok::kLimit, &Parser::unnamed);
  optional_clause(node, Tok::kId, &Parser::unnamed);
  expect(Tok::kOn);
  expect(Tok::kOpenParen);
  const NodeId query = make(NodeKind::kSubquery);
  add(query, needed(contextual_pipe(), "an operator"));
  add(node, close(query));
  expect(Tok::kCloseParen);
  return close(node);
}

// parse x with 'a' b: long *
NodeId Parser::parse_operator() {
  const NodeId node = take(NodeKind::kParse);
  options(node, {kParseOptions});
  add(node, needed(unnamed(), "an expression"));
  if (kind() != Tok::kWith) fail("'with'");
  const NodeId pattern = take(NodeKind::kClause);
  for (NodeId part = kNoNode;; add(pattern, part)) {
    part = kind() == Tok::kAsterisk ? take(NodeKind::kStar) : strings();
    if (part == kNoNode) part = maybe_typed_declaration();
    if (part == kNoNode) break;
  }
  add(node, close(pattern));
  return close(node);
}

NodeId Parser::parse_kv() {
  const NodeId node = take(NodeKind::kParseKv);
  add(node, needed(unnamed(), "an expression"));
  expect(Tok::kAs);
  add(node, row_schema());
  if (accept(Tok::kWith)) {
    expect(Tok::kOpenParen);
    option_list(node, {kParseKvOptions, Options::Names::kOwn, Options::Equals::kExpected});
    expect(Tok::kCloseParen);
  }
  return close(node);
}

NodeId Parser::partition() {
  const NodeId node = take(NodeKind::kPartition);
  options(node, kAfterwards);
  if (kind() != Tok::kBy) fail("'by'");
  optional_clause(node, Tok::kBy, &Parser::simple_path, "a column");
  if (kind() == Tok::kIn) {
    const NodeId scope = take(NodeKind::kClause);
    NodeId value = call_follows() ? call() : kNoNode;
    if (value == kNoNode && kind() == Tok::kDynamic) value = dynamic();
    add(scope, needed(value, "an expression"));
    add(node, close(scope));
  }
  const NodeId query = make(NodeKind::kSubquery);
  if (accept(Tok::kOpenBrace)) {
    add(query, needed(expression(), "an expression"));
    expect(Tok::kCloseBrace);
  } else {
    expect(Tok::kOpenParen);
    add(query, sub_pipe());
    expect(Tok::kCloseParen);
  }
  add(node, close(query));
  return close(node);
}

NodeId Parser::partition_by() {
  const NodeId node = take(NodeKind::kPartitionBy);
  options(node, kAfterwards);
  add(node, needed(simple_path(), "a column"));
  optional_clause(node, Tok::kId, &Parser::literal, "a value");
  expect(Tok::kOpenParen);
  const NodeId query = make(NodeKind::kSubquery);
  add(query, needed(contextual_pipe(), "an operator"));
  add(node, close(query));
  expect(Tok::kCloseParen);
  return close(node);
}

NodeId Parser::by_name() { return kind() == Tok::kAsterisk ? wildcard() : unnamed(); }

NodeId Parser::reorder_element() {
  const NodeId column = wildcard_or_name();
  const bool ordered =
      kind() == Tok::kAsc || kind() == Tok::kDesc || kind() == Tok::kGrannyAsc || kind() == Tok::kGrannyDesc;
  return column == kNoNode || !ordered ? column : close(wrap(NodeKind::kOrdered, at_++, column));
}

// `range(` is the function.
NodeId Parser::range() {
  if (kind(1) == Tok::kOpenParen) return kNoNode;
  const NodeId node = take(NodeKind::kRange);
  add(node, needed(declaration(), "a name"));
  for (const Tok word : {Tok::kFrom, Tok::kTo, Tok::kStep}) {
    if (kind() != word) expect(word);
    add(node, clause(&Parser::unnamed));
  }
  return close(node);
}

NodeId Parser::reduce() {
  const NodeId node = take(NodeKind::kReduce);
  options(node, {kReduceOptions, Options::Names::kOwnAndKnown, Options::Equals::kExpected});
  if (kind() != Tok::kBy) fail("'by'");
  optional_clause(node, Tok::kBy, &Parser::named);
  if (accept(Tok::kWith))
    option_list(node, {kReduceOptions, Options::Names::kOwnAndKnown, Options::Equals::kExpected});
  return close(node);
}

// render timechart with (title='x'), and the old form without brackets.
NodeId Parser::render() {
  const NodeId node = take(NodeKind::kRender);
  if (is_chart(0) || kind() == Tok::kIdentifier) {
    ++at_;
  } else {
    fail("a chart");
  }
  constexpr Options kAll = {kRenderOptions, Options::Names::kOwn, Options::Equals::kExpected};
  for (;;) {
    if (option(node, kRenderOptions[0]) || option(node, kRenderOptions[1]) || option(node, kRenderOptions[2]))
      continue;
    if (kind() == Tok::kWith && kind(1) != Tok::kOpenParen) {
      ++at_;
      add(node, needed(any_value(), "a string"));
    } else if (accept(Tok::kBy)) {
      const Options* outer = listed_options_;
      listed_options_ = &kAll;
      add(node, option_value(OptionValue::kColumns, ListEnd::kRenderName));
      listed_options_ = outer;
    } else {
      break;
    }
  }
  if (accept(Tok::kWith)) {
    expect(Tok::kOpenParen);
    option_list(node, kAll);
    expect(Tok::kCloseParen);
  }
  return close(node);
}

NodeId Parser::sample_distinct() {
  const NodeId node = take(NodeKind::kSampleDistinct);
  options(node, {});
  add(node, needed(named(), "an expression"));
  expect(Tok::kOf);
  add(node, needed(named(), "an expression"));
  return close(node);
}

NodeId Parser::search() {
  const NodeId node = take(NodeKind::kSearch);
  options(node, {});
  data_scope(node);
  find_in(node);
  NodeId condition = unnamed();
  if (condition == kNoNode && kind() == Tok::kAsterisk) {
    condition = take(NodeKind::kStar);
    if (kind() == Tok::kAnd) {
      condition = wrap(NodeKind::kBinary, at_++, condition);
      add(condition, needed(unnamed(), "an expression"));
      close(condition);
    }
  }
  add(node, needed(condition, "an expression"));
  return close(node);
}

NodeId Parser::sort() {
  const NodeId node = take(NodeKind::kSort);
  options(node, kAfterwards);
  expect(Tok::kBy);
  comma_list(node, &Parser::ordered, {.count = Count::kOneOrMore});
  return close(node);
}

// a desc nulls last
NodeId Parser::ordered() {
  const NodeId value = named();
  const Tok order = kind();
  const bool direction =
      order == Tok::kAsc || order == Tok::kDesc || order == Tok::kGrannyAsc || order == Tok::kGrannyDesc;
  if (value == kNoNode || (!direction && order != Tok::kNulls)) return value;
  const NodeId node = wrap(NodeKind::kOrdered, at_, value);
  if (direction) ++at_;
  if (accept(Tok::kNulls) && !accept(Tok::kFirst) && !accept(Tok::kLast)) fail("first or last");
  return close(node);
}

NodeId Parser::summarize() {
  if (kind() != Tok::kSummarize) return kNoNode;
  const NodeId node = take(NodeKind::kSummarize);
  options(node, {});
  comma_list(node, &Parser::named, {.end = ListEnd::kBy});
  if (kind() != Tok::kBy) return close(node);
  const NodeId by = take(NodeKind::kClause);
  comma_list(by, &Parser::named, {.end = ListEnd::kBin, .count = Count::kOneOrMore});
  add(node, close(by));
  if (old_bin_follows()) {
    const NodeId name = make(NodeKind::kDeclaration);
    add(name, take(NodeKind::kName));
    add(node, named_value(close(name)));
  }
  return close(node);
}

// `by a bin=1h`, as it once was. Before anything but a literal `bin` is a name like others.
bool Parser::old_bin_follows(std::size_t ahead) const {
  const Tok value = kind(ahead + 2);
  return kind(ahead) == Tok::kBin && kind(ahead + 1) == Tok::kEqual && value >= Tok::kBooleanLiteral &&
         value <= Tok::kStringLiteral;
}

NodeId Parser::top() {
  const NodeId node = take(NodeKind::kTop);
  options(node, {});
  add(node, needed(named(), "an expression"));
  if (kind() != Tok::kBy) fail("'by'");
  optional_clause(node, Tok::kBy, &Parser::ordered);
  return close(node);
}

NodeId Parser::top_hitters() {
  const NodeId node = take(NodeKind::kTopHitters);
  add(node, needed(named(), "an expression"));
  expect(Tok::kOf);
  add(node, needed(named(), "an expression"));
  optional_clause(node, Tok::kBy, &Parser::named);
  return close(node);
}

NodeId Parser::top_nested() {
  const NodeId node = make(NodeKind::kTopNested);
  comma_list(node, &Parser::top_nested_clause, {.expected = "'top-nested'", .count = Count::kOneOrMore});
  return close(node);
}

NodeId Parser::top_nested_clause() {
  if (kind() != Tok::kTopNested) return kNoNode;
  const NodeId node = take(NodeKind::kClause);
  add(node, named());
  expect(Tok::kOf);
  add(node, needed(named(), "an expression"));
  if (accept(Tok::kWith)) {
    expect(Tok::kOthers);
    expect(Tok::kEqual);
    const NodeId value = literal();
    add(node, value != kNoNode ? value : needed(unnamed(), "an expression"));
  }
  if (kind() != Tok::kBy) fail("'by'");
  optional_clause(node, Tok::kBy, &Parser::ordered);
  return close(node);
}

NodeId Parser::union_operator() {
  const NodeId node = take(NodeKind::kUnion);
  options(node, {kUnionOptions});
  comma_list(node, &Parser::union_operand, {.expected = "a table", .count = Count::kOneOrMore});
  return close(node);
}

NodeId Parser::union_operand() { return kind() == Tok::kOpenParen ? parenthesized() : wildcard_entity(); }

// macro-expand group as c (statements)
NodeId Parser::macro_expand() {
  const NodeId node = take(NodeKind::kMacroExpand);
  options(node, {kUnionOptions});
  NodeId group = entity_group();
  const bool path = (text() == "cluster" || text() == "database") && kind(1) == Tok::kOpenParen;
  if (group == kNoNode) group = path ? entity_path() : name();
  add(node, needed(group, "an entity group"));
  if (accept(Tok::kAs)) add(node, needed(declaration(), "a name"));
  expect(Tok::kOpenParen);
  const NodeId body = make(NodeKind::kBody);
  statements(body);
  add(node, close(body));
  expect(Tok::kCloseParen);
  return close(node);
}

}  // namespace micius::kql
