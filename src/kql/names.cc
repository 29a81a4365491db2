// One walk over the tree with a stack of its own: deep trees are not deep recursion.
#include "kql/names.h"

#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace micius::kql {
namespace {

class NameList {
 public:
  void add(std::string name) {
    if (seen_.insert(name).second) names_.push_back(std::move(name));
  }
  std::vector<std::string> take() && { return std::move(names_); }

 private:
  std::vector<std::string> names_;
  std::unordered_set<std::string> seen_;
};

// What a name means where it stands.
enum class As : std::uint8_t { kColumn, kTable, kCreated, kLet, kBound, kIgnored, kStep, kScopeEnd };

class Walk {
 public:
  explicit Walk(const Tree& tree) : tree_(tree) {}
  Names run();

 private:
  struct Scope {
    std::vector<std::string> names;
  };
  struct Item {
    NodeId node;
    As as;
  };

  void visit(const Item& item);
  void visit_declaring(const Item& item);
  void visit_operator(NodeId node);
  void searched(NodeId node);
  void made_table(NodeId node);
  void joined(NodeId node);
  void scope_of_operator(NodeId node);
  void name(NodeId node, As as);
  void call(NodeId node);
  void path(NodeId node, As as);
  void element(NodeId node);
  bool ends_in_database(NodeId node) const;
  void let(NodeId node);
  void scope(NodeId node, NodeId part);
  void end_scope();
  void children(NodeId node, As as);
  void first_as(NodeId node, As first, As rest);
  void later(NodeId node, As as) { todo_.push_back({node, as}); }
  bool is_side(NodeId node) const;
  std::string text(NodeId node) const { return std::string(tree_.token_text(tree_.nodes[node].token)); }
  std::string literal_argument(NodeId call) const;

  const Tree& tree_;
  std::vector<Item> todo_, siblings_;
  NameList clusters_, databases_, tables_, columns_, created_, functions_;
  std::vector<std::string> lets_, operators_;
  std::unordered_set<std::string> bound_;
  std::unordered_map<std::string, int> hidden_;
  std::vector<Scope> scopes_;
};

Names Walk::run() {
  todo_.push_back({tree_.root(), As::kTable});
  while (!todo_.empty()) {
    const Item item = todo_.back();
    todo_.pop_back();
    visit(item);
  }
  return {.clusters = std::move(clusters_).take(),
          .databases = std::move(databases_).take(),
          .tables = std::move(tables_).take(),
          .columns = std::move(columns_).take(),
          .created_columns = std::move(created_).take(),
          .functions = std::move(functions_).take(),
          .lets = std::move(lets_),
          .operators = std::move(operators_)};
}

// The first child as one thing, the others as another; they are visited in the order of the text.
void Walk::first_as(NodeId node, As first, As rest) {
  siblings_.clear();
  for (NodeId child = tree_.first_child(node); child != kNoNode; child = tree_.next(child))
    siblings_.push_back({child, siblings_.empty() ? first : rest});
  todo_.insert(todo_.end(), siblings_.rbegin(), siblings_.rend());
}

void Walk::children(NodeId node, As as) { first_as(node, as, as); }

void Walk::name(NodeId node, As as) {
  std::string value = tree_.kind(node) == NodeKind::kBracedName ? "{" + name_value(tree_, node) + "}"
                                                                : name_value(tree_, node);
  const auto hidden = hidden_.find(value);
  const bool read = as == As::kTable || as == As::kColumn;
  if (read && (bound_.count(value) != 0 || (hidden != hidden_.end() && hidden->second > 0))) return;
  switch (as) {
    case As::kTable:
      return tables_.add(std::move(value));
    case As::kColumn:
      if (!value.starts_with('$')) columns_.add(std::move(value));
      return;
    case As::kCreated:
      return created_.add(std::move(value));
    case As::kLet:
      bound_.insert(value);
      lets_.push_back(std::move(value));
      return;
    case As::kBound:
      bound_.insert(std::move(value));
      return;
    case As::kIgnored:
    case As::kStep:
    case As::kScopeEnd:
      return;
  }
}

std::string Walk::literal_argument(NodeId call) const {
  NodeId argument = tree_.next(tree_.first_child(call));
  while (argument != kNoNode && tree_.kind(argument) == NodeKind::kParen)
    argument = tree_.first_child(argument);
  if (argument == kNoNode || tree_.kind(argument) != NodeKind::kLiteral) return {};
  return string_value(tree_, tree_.nodes[argument].begin, tree_.nodes[argument].end);
}

void Walk::call(NodeId node) {
  const NodeId callee = tree_.first_child(node);
  if (callee == kNoNode || tree_.kind(node) != NodeKind::kCall) return;
  std::string function = name_value(tree_, callee);
  const std::string argument = literal_argument(node);
  if (!argument.empty()) {
    if (function == "cluster") clusters_.add(argument);
    if (function == "database") databases_.add(argument);
    if (function == "table") tables_.add(argument);
  }
  functions_.add(std::move(function));
  first_as(node, As::kIgnored, As::kColumn);
}

bool Walk::is_side(NodeId node) const {
  return tree_.kind(node) == NodeKind::kName && (text(node) == "$left" || text(node) == "$right");
}

// Is this cluster(..) or database(..), or a path that ends so? What follows it is a table.
bool Walk::ends_in_database(NodeId node) const {
  if (tree_.kind(node) == NodeKind::kPath) node = tree_.nodes[node].last;
  if (tree_.kind(node) != NodeKind::kCall) return false;
  const std::string function = name_value(tree_, tree_.first_child(node));
  return function == "cluster" || function == "database";
}

// a.b: only the root is a column, but what `$left.` and `$right.` are followed by is one, and where a table
// stands its path's last step is the table.
void Walk::path(NodeId node, As as) {
  const NodeId left = tree_.first_child(node);
  if (is_side(left)) return first_as(node, As::kIgnored, As::kColumn);
  const NodeId last = tree_.next(left);
  const bool call = last == kNoNode || tree_.kind(last) == NodeKind::kCall;
  const bool table = as == As::kTable && !call;
  const As step = table || ends_in_database(left) ? As::kTable : As::kStep;
  first_as(node, table && tree_.kind(left) == NodeKind::kName ? As::kStep : As::kColumn, step);
}

// a['b'], where of database('d')['T'] the index is a table.
void Walk::element(NodeId node) {
  const NodeId left = tree_.first_child(node);
  const NodeId index = tree_.next(left);
  const NodeId literal =
      index != kNoNode && tree_.kind(index) == NodeKind::kIndex ? tree_.first_child(index) : kNoNode;
  const bool table = ends_in_database(left);
  if (table && literal != kNoNode && tree_.kind(literal) == NodeKind::kLiteral) {
    std::string name = string_value(tree_, tree_.nodes[literal].begin, tree_.nodes[literal].end);
    if (!name.empty()) tables_.add(std::move(name));
  }
  const bool name = index != kNoNode && tree_.kind(index) != NodeKind::kIndex;
  first_as(node, As::kColumn, table ? As::kTable : name ? As::kStep : As::kColumn);
}

void Walk::let(NodeId node) {
  const NodeId name = tree_.first_child(node);
  if (name == kNoNode) return;
  later(name, As::kLet);
  if (tree_.next(name) != kNoNode) later(tree_.next(name), As::kTable);
}

// The names that are declared in the part of the tree below `node` hide tables and columns until it ends.
void Walk::scope(NodeId node, NodeId part) {
  Scope scope;
  std::vector<NodeId> todo = {part};
  while (!todo.empty()) {
    const NodeId next = todo.back();
    todo.pop_back();
    if (tree_.kind(next) == NodeKind::kDeclaration)
      scope.names.push_back(name_value(tree_, tree_.first_child(next)));
    for (NodeId child = tree_.first_child(next); child != kNoNode; child = tree_.next(child))
      todo.push_back(child);
  }
  for (const std::string& hidden : scope.names) ++hidden_[hidden];
  scopes_.push_back(std::move(scope));
  later(node, As::kScopeEnd);
}

void Walk::end_scope() {
  for (const std::string& shown : scopes_.back().names) --hidden_[shown];
  scopes_.pop_back();
}

void Walk::visit(const Item& item) {
  const NodeId node = item.node;
  if (item.as == As::kScopeEnd) return end_scope();
  switch (tree_.kind(node)) {
    case NodeKind::kName:
    case NodeKind::kBracketedName:
    case NodeKind::kBracedName:
    case NodeKind::kWildcard:
      return name(node, item.as);
    case NodeKind::kDeclaration:
      return children(node, item.as == As::kColumn || item.as == As::kTable ? As::kCreated : item.as);
    case NodeKind::kDeclarations:
      return children(node, As::kCreated);
    case NodeKind::kLet:
      return let(node);
    case NodeKind::kQuery:
    case NodeKind::kParen:
    case NodeKind::kMaterialize:
    case NodeKind::kToScalar:
    case NodeKind::kToTable:
    case NodeKind::kSubquery:
    case NodeKind::kBody:
      return children(node, tree_.kind(node) == NodeKind::kParen ? item.as : As::kTable);
    case NodeKind::kPipe:
      return first_as(node, As::kTable, As::kColumn);
    case NodeKind::kCall:
      return call(node);
    case NodeKind::kPath:
      return path(node, item.as);
    case NodeKind::kElement:
      return element(node);
    default:
      return visit_declaring(item);
  }
}

// What makes names or hides them, and the operators.
void Walk::visit_declaring(const Item& item) {
  const NodeId node = item.node;
  switch (tree_.kind(node)) {
    case NodeKind::kFunction:
      if (tree_.first_child(node) != kNoNode) scope(node, tree_.first_child(node));
      return first_as(node, As::kIgnored, As::kTable);
    case NodeKind::kParameters:
      return children(node, item.as);
    case NodeKind::kDeclareParameters:
      return children(node, As::kBound);
    case NodeKind::kDeclarePattern:
      return;
    case NodeKind::kGraphNode:
    case NodeKind::kGraphEdge:
      return first_as(
          node, tree_.kind(tree_.first_child(node)) == NodeKind::kDeclaration ? As::kIgnored : As::kColumn,
          As::kColumn);
    case NodeKind::kRestrict:
      return children(node, As::kTable);
    case NodeKind::kSet:
    case NodeKind::kAlias:
      return first_as(node, As::kIgnored, As::kColumn);
    case NodeKind::kTypedName:
      return children(node, item.as);
    case NodeKind::kSchema:
      return children(node, item.as == As::kTable ? As::kCreated : As::kIgnored);
    case NodeKind::kTypeOf:
      return;
    case NodeKind::kDataTable:
    case NodeKind::kExternalData:
      return made_table(node);
    case NodeKind::kInlineExternalTable:
      operators_.push_back(text(node));
      return first_as(node, As::kIgnored, As::kColumn);
    case NodeKind::kOption:
      return;
    default:
      if (tree_.kind(node) > NodeKind::kPipe && tree_.kind(node) < NodeKind::kOption)
        return visit_operator(node);
      return children(node, As::kColumn);
  }
}

void Walk::visit_operator(NodeId node) {
  operators_.push_back(text(node));
  switch (tree_.kind(node)) {
    case NodeKind::kAs:
      return children(node, As::kLet);
    case NodeKind::kUnion:
      return children(node, As::kTable);
    case NodeKind::kJoin:
    case NodeKind::kLookup:
      return joined(node);
    case NodeKind::kAssertSchema:
      return children(node, As::kIgnored);
    case NodeKind::kFind:
    case NodeKind::kSearch:
      return searched(node);
    case NodeKind::kGraphMatch:
    case NodeKind::kGraphShortestPaths:
    case NodeKind::kScan:
      scope_of_operator(node);
      return children(node, As::kColumn);
    default:
      return children(node, As::kColumn);
  }
}

// in (..) holds tables; the rest is a condition.
void Walk::searched(NodeId node) {
  siblings_.clear();
  for (NodeId child = tree_.first_child(node); child != kNoNode; child = tree_.next(child)) {
    if (tree_.kind(child) == NodeKind::kClause && tree_.token(child).kind == Tok::kIn) {
      for (NodeId table = tree_.first_child(child); table != kNoNode; table = tree_.next(table))
        siblings_.push_back({table, As::kTable});
    } else {
      siblings_.push_back({child, As::kColumn});
    }
  }
  todo_.insert(todo_.end(), siblings_.rbegin(), siblings_.rend());
}

// A schema's columns are made here; the values are scalars.
void Walk::made_table(NodeId node) {
  siblings_.clear();
  for (NodeId child = tree_.first_child(node); child != kNoNode; child = tree_.next(child))
    siblings_.push_back({child, tree_.kind(child) == NodeKind::kSchema ? As::kTable : As::kColumn});
  todo_.insert(todo_.end(), siblings_.rbegin(), siblings_.rend());
}

void Walk::joined(NodeId node) {
  siblings_.clear();
  for (NodeId child = tree_.first_child(node); child != kNoNode; child = tree_.next(child))
    siblings_.push_back({child, tree_.kind(child) == NodeKind::kClause ? As::kColumn : As::kTable});
  todo_.insert(todo_.end(), siblings_.rbegin(), siblings_.rend());
}

// The nodes and edges of a graph's pattern, the steps of scan.
void Walk::scope_of_operator(NodeId node) {
  for (NodeId child = tree_.first_child(node); child != kNoNode; child = tree_.next(child)) {
    const NodeKind kind = tree_.kind(child);
    if (kind == NodeKind::kGraphPattern) scope(node, child);
    if (kind == NodeKind::kScanStep) scope(node, tree_.first_child(child));
  }
}

}  // namespace

Names names_of(const Tree& tree) { return Walk(tree).run(); }

}  // namespace micius::kql
