// The values of a template: Python's, as far as templates see them.
//
// Texts, sequences and dicts never change once made (Jinja's sandbox refuses to change them), so copies share
// them: that is why they are shared pointers. Namespaces and other objects change, and are shared as in
// Python.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace micius::jinja {

class Value;
class Interpreter;
struct Arguments;

struct None {};

// What is not there. It prints as nothing; most other uses fail with `message`.
struct Undefined {
  std::shared_ptr<const std::string> message;
  bool unsafe = false;  // the sandbox hides it; using it is a security failure
};

// How much hangs on a value. Values share their parts, so a short template can make one that would take for
// ever to print or compare; making one beyond kMaxDepth or kMaxWeight is a kLimit failure.
struct Size {
  std::uint32_t depth = 0;
  std::uint64_t weight = 1;  // about the bytes that printing it takes
  std::uint64_t pairs = 0;   // about the keys that comparing its dicts looks at, in steps
  std::uint64_t steps() const { return weight / 64 + pairs + 1; }  // that comparing it costs at most
};
constexpr std::uint32_t kMaxDepth = 200;
constexpr std::uint64_t kMaxWeight = 64u << 20;

struct Sequence {
  enum class Kind { kList, kTuple, kRange, kGenerator, kKeys, kValues, kItems };
  Kind kind;
  std::shared_ptr<const std::vector<Value>> items;
  Size size;
};

using DictItems = std::vector<std::pair<Value, Value>>;  // in order of insertion
struct Dict {
  std::shared_ptr<const DictItems> items;
  Size size;
};
struct Text {
  std::shared_ptr<const std::string> value;
  bool markup = false;  // from |safe or |escape: what is added to it is escaped
};

// Functions, macros, methods, namespaces, loops.
class Object {
 public:
  explicit Object(std::uint32_t depth = 0) : depth_(depth) {}
  virtual ~Object() = default;
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

  std::uint32_t depth() const { return depth_; }  // of the values that it owns
  virtual std::string_view type_name() const = 0;
  virtual bool callable() const { return false; }
  virtual Value call(Interpreter& interpreter, const Arguments& arguments);
  virtual std::optional<Value> attribute(Interpreter& interpreter, std::string_view name);

 private:
  std::uint32_t depth_;
};

class Value {
 public:
  using Data = std::variant<Undefined, None, bool, std::int64_t, double, Text, Sequence, Dict,
                            std::shared_ptr<Object>>;

  Value() : data_(None{}) {}
  Value(Data data) : data_(std::move(data)) {}
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(double value) : data_(value) {}
  Value(std::string text) : data_(Text{std::make_shared<const std::string>(std::move(text))}) {}
  Value(std::string_view text) : Value(std::string(text)) {}
  Value(const char* text) : Value(std::string(text)) {}

  static Value markup(std::string text) {
    return Value(Data(Text{std::make_shared<const std::string>(std::move(text)), true}));
  }
  static Value count(std::size_t n) { return Value(static_cast<std::int64_t>(n)); }
  static Value undefined(std::string message) {
    return Value(Data(Undefined{std::make_shared<const std::string>(std::move(message)), false}));
  }
  static Value sequence(std::vector<Value> items, Sequence::Kind kind = Sequence::Kind::kList);
  static Value dict(DictItems items);
  static Value object(std::shared_ptr<Object> object) { return Value(Data(std::move(object))); }
  static Value from_json(const Json& json);

  template <typename T>
  bool is() const {
    return std::holds_alternative<T>(data_);
  }
  template <typename T>
  const T* get() const {
    return std::get_if<T>(&data_);
  }
  const Data& data() const { return data_; }
  Size size() const;

  bool is_undefined() const { return is<Undefined>(); }
  bool is_none() const { return is<None>(); }
  bool is_text() const { return is<Text>(); }
  const std::string& text() const { return *std::get<Text>(data_).value; }  // needs is_text
  std::optional<std::int64_t> integer() const;                              // an int or a bool
  std::optional<double> number() const;                                     // an int, a bool or a float
  const std::vector<Value>* list() const;  // the items of any sequence, else null

 private:
  Data data_;
};

struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<std::string, Value>> named;
};

// The size of something that holds `items`; throws at the limits.
Size size_of(const std::vector<Value>& items);

// Throws what using an undefined value throws.
[[noreturn]] void raise_undefined(const Undefined& value);

bool is_true(const Value& value);
std::string type_name(const Value& value);  // Python's: "str", "NoneType"
bool equals(const Value& a, const Value& b);
bool less(const Value& a, const Value& b, const char* sign = "<");  // TypeError for what has no order
bool contains(const Value& container, const Value& item);
std::string to_text(const Value& value);  // Python's str(); "" if undefined
std::string to_repr(const Value& value);  // Python's repr()
std::string float_repr(double value);     // 1.0, 1e+20, 1e-07
std::string text_repr(std::string_view text);

// What a for loop goes through: a text's characters, a dict's keys. TypeError for what has none.
std::vector<Value> items_of(const Value& value);
// Python's len(); TypeError for what has none.
std::size_t length_of(const Value& value);
const Value* find(const DictItems& dict, const Value& key);  // null: not there

// json.dumps with Python's layout.
struct JsonStyle {
  bool ensure_ascii = false;
  bool sort_keys = false;
  std::optional<std::string> indent;  // of one level
  std::string item_separator = ", ", key_separator = ": ";
};
std::string to_json(const Value& value, const JsonStyle& style);

}  // namespace micius::jinja
