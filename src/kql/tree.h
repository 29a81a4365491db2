// The syntax tree of a query: nodes in one vector that point to each other by number, over the vector of
// tokens.
//
//   const Tree tree = parse("T | where a > 1");
//   for (NodeId op = tree.first_child(pipe); op != kNoNode; op = tree.next(op)) ...
//
// Children stand in the order of the text. A chain is one level deep where the language's is long (the stages
// of a pipe); what is not may be as deep as the text is nested or its operators chained, so walk without
// recursion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kql/token.h"

namespace micius::kql {

using NodeId = std::uint32_t;
inline constexpr NodeId kNoNode = 0;

// clang-format off
enum class NodeKind : std::uint8_t {
  kNothing,
  // Statements. kQuery's children are all statements; one that is a query is its expression itself.
  kQuery, kLet, kSet, kAlias, kDeclareParameters, kDeclarePattern, kPatternMatch, kRestrict,
  kFunction,            // parameters, body
  kParameters,          // (a: long, b: (x: string))
  kBody,                // statements between braces
  // Names. The token of kName is the name; of the next two the bracket or brace; of kWildcard the first of its tokens.
  kName, kBracketedName, kBracedName, kWildcard,
  kDeclaration,         // a name that is made here; its child is the name
  kTypedName,           // declaration, type
  kType, kSchema,       // a type's name; (a: long, ..)
  // Scalars.
  kLiteral,             // its tokens are more than one for a sign or adjacent strings
  kDynamic, kJsonArray, kJsonObject, kJsonPair, kTypeOf, kStar, kAt,
  kUnary, kBinary,      // the token is the operator
  kIn, kBetween,        // the token is the operator; also has_any and has_all; operand, then the list's members
  kPath, kElement,      // a.b, a[b]: two children
  kIndex,               // [b] as the second child of an element or a path, or alone
  kCall,                // name, arguments
  kNamed,               // declaration (or a kDeclarations), value
  kDeclarations,        // (a, b) before =
  kParen, kDataScope, kToScalar, kToTable, kMaterialize,
  // Tables made in the text.
  kDataTable, kContextualDataTable, kExternalData, kInlineExternalTable, kViewCombine, kEntityGroup,
  // A head and its stages; the token is the first bar.
  kPipe,
  // Operators. The token is the keyword.
  kAs, kAssertSchema, kConsume, kCount, kDistinct, kEvaluate, kExecuteAndCache, kExtend, kFacet, kFind, kFork,
  kGetSchema, kGraphMarkComponents, kGraphMatch, kGraphShortestPaths, kGraphToTable, kGraphWhere, kInvoke, kJoin,
  kLookup, kMacroExpand, kMakeGraph, kMakeSeries, kMvApply, kMvExpand, kParse, kParseKv, kPartition, kPartitionBy,
  kPrint, kProject, kProjectAway, kProjectByNames, kProjectKeep, kProjectRename, kProjectReorder, kRange, kReduce,
  kRender, kSample, kSampleDistinct, kScan, kSearch, kSerialize, kSort, kSummarize, kTake, kTop, kTopHitters,
  kTopNested, kUnion, kWhere,
  // Parts of operators.
  kOption,              // kind=inner: declaration, value
  kClause,              // `by a, b`: the token is the keyword
  kOrdered,             // a desc nulls last: expression; the token is behind it
  kTypedColumn,         // a: long in find's project; a to typeof(long)
  kSubquery,            // a query between brackets; in fork a declaration may stand before it
  kScanStep, kGraphPattern, kGraphNode, kGraphEdge,
};
// clang-format on

struct Node {
  NodeKind kind = NodeKind::kNothing;
  std::uint32_t token = 0;           // the one that says most: the name, the operator, the keyword
  std::uint32_t begin = 0, end = 0;  // of its tokens
  NodeId first = kNoNode, last = kNoNode, next = kNoNode;
};

struct SyntaxError {
  std::uint32_t offset = 0;  // bytes; where the text ends is a place too
  std::string message;       // "expected ')', not 'where'"
};

struct Tree {
  std::string_view text;             // borrowed: outlives the tree
  std::vector<Token> tokens;         // the last is kEndOfText
  std::vector<Node> nodes;           // nodes[0] is no node, nodes[1] the query
  std::optional<SyntaxError> error;  // the first; the nodes before it are there, but not more

  NodeId root() const { return 1; }
  NodeId first_child(NodeId node) const { return nodes[node].first; }
  NodeId next(NodeId node) const { return nodes[node].next; }
  NodeKind kind(NodeId node) const { return nodes[node].kind; }
  const Token& token(NodeId node) const { return tokens[nodes[node].token]; }
  std::string_view token_text(std::size_t token) const {
    return text.substr(tokens[token].offset, tokens[token].length);
  }
};

struct Place {
  std::size_t line = 1, column = 1;  // from 1; the column in bytes
};
Place place_of(std::string_view text, std::size_t offset);

// The value of the string literals from token `begin` to `end`, joined.
std::string string_value(const Tree& tree, std::uint32_t begin, std::uint32_t end);
// A name as it is meant: without brackets and quotes, a wildcard's tokens joined.
std::string name_value(const Tree& tree, NodeId name);

// For tests and people: one node a line, two blanks a level, with the text of its token.
std::string dump(const Tree& tree);

}  // namespace micius::kql
