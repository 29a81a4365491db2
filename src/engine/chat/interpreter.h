// Walks a template's tree and writes its text.
//
// A template comes out of a model file and is hostile input: nesting, steps and output are bounded, and every
// operation costs steps in proportion to what it reads and makes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/chat/ast.h"
#include "engine/chat/failure.h"
#include "engine/chat/value.h"

namespace micius::jinja {

constexpr int kMaxNesting = 500;                           // of expressions, statements and macro calls
constexpr std::uint64_t kMaxSteps = 10'000'000;            // about half a second
constexpr std::size_t kMaxOutput = std::size_t{16} << 20;  // bytes

// strftime of the current time.
using StrftimeNow = std::function<std::string(const std::string& format)>;

// Names of one block. A macro keeps the scopes around its definition alive.
struct Scope {
  Scope* parent = nullptr;
  std::map<std::string, Value, std::less<>> names;
  bool kept = false;
};

enum class Flow { kNext, kBreak, kContinue };

class Namespace;

// Renders once. One thread; `body` must outlive it.
class Interpreter {
 public:
  explicit Interpreter(StrftimeNow now);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  // Throws Failure; position() then says where.
  std::string render(const Body& body, const std::vector<std::pair<std::string, Value>>& variables);
  Position position() const { return at_; }

  // For filters, tests, methods and functions.
  void tick(std::uint64_t steps);
  void tick_bytes(std::uint64_t bytes) { tick(bytes / 16 + 1); }
  Value attribute(const Value& object, std::string_view name);  // a.b
  Value item(const Value& object, const Value& index);          // a[b]
  Value call(const Value& callee, const Arguments& arguments);
  Value filter(std::string_view name, const Value& input, const Arguments& arguments);
  bool test(std::string_view name, const Value& input, const Arguments& arguments);
  const StrftimeNow& now() const { return now_; }
  void adopt(std::shared_ptr<Namespace> space) { namespaces_.push_back(std::move(space)); }

  // For macros and loops.
  std::string run_macro(const MacroDefinition& macro, Scope* around, const Arguments& arguments);
  std::string run_loop_again(const For& loop, Scope* around, const Value& items, int depth);

 private:
  class Level;
  class ScopeGuard;

  Value evaluate(const Expression& expression);
  Value run(const Constant& node);
  Value run(const Name& node);
  Value run(const ListLiteral& node);
  Value run(const DictLiteral& node);
  Value run(const Attribute& node);
  Value run(const Item& node);
  Value run(const Slice& node);
  Value run(const Call& node);
  Value run(const FilterCall& node);
  Value run(const TestCall& node);
  Value run(const Unary& node);
  Value run(const Binary& node);
  Value run(const Comparison& node);
  Value run(const Concatenation& node);
  Value run(const Conditional& node);
  bool compare(const std::string& op, const Value& left, const Value& right);
  Arguments evaluate(const CallArguments& arguments);

  Flow execute(const Body& body);
  Flow run(const Data& node);
  Flow run(const Print& node);
  Flow run(const If& node);
  Flow run(const For& node);
  Flow run(const Set& node);
  Flow run(const SetBlock& node);
  Flow run(const MacroDefinition& node);
  Flow run(const CallBlock& node);
  Flow run(const FilterBlock& node);
  Flow run(const With& node);
  Flow run(const Group& node);
  Flow run(const Break&) { return Flow::kBreak; }
  Flow run(const Continue&) { return Flow::kContinue; }

  void loop_over(const For& node, const Value& items, int depth);
  void assign(const Target& target, const Value& value);
  void bind(const MacroDefinition& macro, const Arguments& arguments);
  Value make_macro(const MacroDefinition& macro);
  Value apply_filters(const Expression* chain, Value input);
  void write(std::string_view text);
  std::string capture(const Body& body);
  const Value* look_up(std::string_view name) const;

  StrftimeNow now_;
  std::map<std::string, Value, std::less<>> globals_;
  Scope* scope_ = nullptr;
  std::vector<std::unique_ptr<Scope>> kept_;
  std::vector<std::shared_ptr<Namespace>> namespaces_;  // emptied at the end: they may hold each other
  std::string output_;
  std::uint64_t steps_ = 0;
  int depth_ = 0;
  Position at_;
};

}  // namespace micius::jinja
