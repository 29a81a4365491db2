// Options of operators: kind=inner, hint.strategy=shuffle.
#include <algorithm>

#include "kql/parser_internal.h"

namespace micius::kql {
namespace {

// Two that the lexer gives as several tokens.
constexpr std::string_view kGluedNames[] = {"hint.pass_filters_column", "hint.pass_filters"};

// What stands before any operator that has options, even where it means nothing there.
bool is_known_option(Tok kind) {
  switch (kind) {
    case Tok::kBagExpansion:
    case Tok::kBinLegacy:
    case Tok::kUnderCrossCluster:
    case Tok::kUnderCrossDB:
    case Tok::kDecodeBlocks:
    case Tok::kExpandOutput:
    case Tok::kHintDotConcurrency:
    case Tok::kHintDotDistribution:
    case Tok::kHintDotMaterialized:
    case Tok::kHintDotNumPartitions:
    case Tok::kHintDotProgressiveTop:
    case Tok::kHintDotRemote:
    case Tok::kHintDotShuffleKey:
    case Tok::kHintDotSpread:
    case Tok::kHintDotStrategy:
    case Tok::kUnderId:
    case Tok::kIsFuzzy:
    case Tok::kUnderIsFuzzy:
    case Tok::kKind:
    case Tok::kUnderNoWithSource:
    case Tok::kUnderPackedColumn:
    case Tok::kUnderSourceColumnIndex:
    case Tok::kCycles:
    case Tok::kWithMatchId:
    case Tok::kWithItemIndex:
    case Tok::kWithSource:
    case Tok::kWithUnderSource:
    case Tok::kWithStepName:
    case Tok::kForceRemote:
      return true;
    default:
      return false;
  }
}

OptionValue known_value(Tok kind) {
  switch (kind) {
    case Tok::kHintDotShuffleKey:
    case Tok::kUnderPackedColumn:
      return OptionValue::kColumn;
    case Tok::kWithMatchId:
    case Tok::kWithItemIndex:
    case Tok::kWithSource:
    case Tok::kWithUnderSource:
    case Tok::kWithStepName:
      return OptionValue::kDeclaration;
    default:
      return OptionValue::kAny;
  }
}

}  // namespace

const OptionRule* Parser::own_option(const Options& options, std::string_view name) {
  const auto found = std::find_if(options.own.begin(), options.own.end(),
                                  [&](const OptionRule& rule) { return rule.name == name; });
  return found == options.own.end() ? nullptr : &*found;
}

// How many tokens the option's name has that stands there, 0 if none does.
std::size_t Parser::option_length(const Options& options, std::size_t ahead) const {
  const Tok what = kind(ahead);
  if (what != Tok::kIdentifier && !is_keyword(what)) return 0;
  std::size_t length = 0;
  if (!options.own.empty() && own_option(options, text(ahead)) != nullptr) {
    length = 1;
  } else if (options.names == Options::Names::kOwnAndKnown) {
    if (is_known_option(what)) length = 1;
    if (what == Tok::kIdentifier && text(ahead) == "hint")
      for (const std::string_view name : kGluedNames)
        if (length == 0) length = glued_length(name, ahead);
  }
  const bool equals = options.equals == Options::Equals::kExpected || kind(ahead + length) == Tok::kEqual;
  return equals ? length : 0;
}

// The options that stand here; were there any?
bool Parser::options(NodeId parent, const Options& options) {
  bool any = false;
  for (NodeId node; (node = one_option(options)) != kNoNode; any = true) add(parent, node);
  return any;
}

NodeId Parser::one_option(const Options& options) {
  const std::size_t length = option_length(options);
  if (length == 0) return kNoNode;
  const OptionRule* own = own_option(options, text());
  const OptionValue value = own != nullptr ? own->value : known_value(kind());
  const NodeId name = make(NodeKind::kDeclaration);
  add(name, take(NodeKind::kName, static_cast<std::uint32_t>(length)));
  const NodeId node = wrap(NodeKind::kOption, tree_.nodes[name].token, close(name));
  expect(Tok::kEqual);
  const Options* outer = listed_options_;
  listed_options_ = &options;
  add(node, needed(option_value(value, ListEnd::kOptionName), "a value"));
  listed_options_ = outer;
  return close(node);
}

// (title='x', ysplit=none)
void Parser::option_list(NodeId parent, const Options& options) {
  const Options* outer = listed_options_;
  listed_options_ = &options;
  comma_list(parent, &Parser::listed_option, {.expected = "a property"});
  listed_options_ = outer;
}

NodeId Parser::listed_option() { return one_option(*listed_options_); }

// One option that is named by its place: `kind=csl` of getschema.
bool Parser::option(NodeId parent, const OptionRule& rule, ListEnd end) {
  if (text() != rule.name || kind(1) != Tok::kEqual) return false;
  const NodeId node = make(NodeKind::kOption);
  const NodeId name = make(NodeKind::kDeclaration);
  add(name, take(NodeKind::kName));
  add(node, close(name));
  expect(Tok::kEqual);
  add(node, needed(option_value(rule.value, end), "a value"));
  add(parent, close(node));
  return true;
}

NodeId Parser::option_value(OptionValue value, ListEnd end) {
  switch (value) {
    case OptionValue::kDeclaration: {
      const NodeId node = declaration();
      return node != kNoNode ? node : any_value();
    }
    case OptionValue::kColumn: {
      const NodeId node = name();
      return node != kNoNode ? node : any_value();
    }
    case OptionValue::kColumns: {
      const NodeId node = make(NodeKind::kClause);
      comma_list(node, &Parser::listed_column,
                 {.end = end, .expected = "a name", .count = Count::kOneOrMore});
      return close(node);
    }
    case OptionValue::kExpression:
      return call_or_path();
    case OptionValue::kParseKind:
      return kind() == Tok::kSimple || kind() == Tok::kRelaxed ? take(NodeKind::kLiteral) : any_value();
    case OptionValue::kConversionKind:
      return kind() == Tok::kNoOptimization ? take(NodeKind::kLiteral) : any_value();
    case OptionValue::kAny:
      return any_value();
  }
  return kNoNode;
}

// A literal or a word, which is no column.
NodeId Parser::any_value() {
  const NodeId node = literal();
  if (node != kNoNode) return node;
  return is_name() ? take(NodeKind::kLiteral) : name();
}

NodeId Parser::listed_column() {
  if (kind(1) == Tok::kEqual && own_option(*listed_options_, text()) != nullptr) return kNoNode;
  return extended_name();
}

}  // namespace micius::kql
