// Jinja's global functions and those that transformers adds.
#include <algorithm>

#include "engine/chat/failure.h"
#include "engine/chat/objects.h"
#include "engine/chat/operators.h"

namespace micius::jinja {
namespace {

constexpr std::int64_t kMaxRange = 100'000;  // Jinja's sandbox has the same

Value raise_exception(Interpreter&, const Arguments& arguments) {
  const Bound bound("raise_exception", arguments, {"message"}, 1);
  throw Failure{FailureKind::kRaise, to_text(bound[0]), {}};
}

Value strftime_now(Interpreter& interpreter, const Arguments& arguments) {
  const Bound bound("strftime_now", arguments, {"format"}, 1);
  return Value(interpreter.now()(bound.text(0)));
}

Value range(Interpreter& interpreter, const Arguments& arguments) {
  if (!arguments.named.empty()) raise_type_error("range() takes no keyword arguments");
  const Bound bound("range", arguments, {"start", "stop", "step"}, 1);
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    if (!bound.has(i)) raise_type_error("'NoneType' object cannot be interpreted as an integer");
  }
  const bool one = arguments.positional.size() == 1;
  const std::int64_t start = one ? 0 : bound.integer_or(0, 0);
  const std::int64_t stop = one ? bound.integer_or(0, 0) : bound.integer_or(1, 0);
  const std::int64_t step = bound.integer_or(2, 1);
  if (step == 0) raise_python("ValueError", "range() arg 3 must not be zero");
  std::vector<Value> items;
  for (std::int64_t i = start; step > 0 ? i < stop : i > stop;) {
    if (items.size() >= static_cast<std::size_t>(kMaxRange)) {
      raise_python("OverflowError", "Range too big. The sandbox blocks ranges larger than MAX_RANGE ({}).",
                   kMaxRange);
    }
    items.emplace_back(i);
    if (__builtin_add_overflow(i, step, &i)) break;
  }
  interpreter.tick(items.size());
  return Value::sequence(std::move(items), Sequence::Kind::kRange);
}

// dict(other, a=1): the pairs of a mapping or of a list of pairs, then the named ones.
DictItems dict_items(Interpreter& interpreter, const char* name, const Arguments& arguments) {
  if (arguments.positional.size() > 1)
    raise_type_error("{} expected at most 1 argument, got {}", name, arguments.positional.size());
  DictItems items;
  if (!arguments.positional.empty()) {
    const Value& other = arguments.positional[0];
    if (const auto* dict = other.get<Dict>()) {
      items = *dict->items;
    } else if (const auto* undefined = other.get<Undefined>()) {
      raise_undefined(*undefined);
    } else {
      for (const Value& pair : items_of(other)) {
        const std::vector<Value> parts = items_of(pair);
        if (parts.size() != 2)
          raise_python("ValueError", "a pair of {} elements; 2 is required", parts.size());
        set_item(interpreter, items, parts[0], parts[1]);
      }
    }
  }
  for (const auto& [key, value] : arguments.named) set_item(interpreter, items, Value(key), value);
  return items;
}

class DictFunction final : public Object {
 public:
  std::string_view type_name() const override { return "type"; }
  bool callable() const override { return true; }
  Value call(Interpreter& interpreter, const Arguments& arguments) override {
    return Value::dict(dict_items(interpreter, "dict", arguments));
  }
  std::optional<Value> attribute(Interpreter&, std::string_view name) override {
    if (name != "fromkeys") return std::nullopt;
    return Value::object(
        std::make_shared<NativeFunction>([](Interpreter& interpreter, const Arguments& arguments) {
          const Bound bound("fromkeys", arguments, {"iterable", "value"}, 1);
          DictItems items;
          for (Value& key : items_of(bound[0])) {
            set_item(interpreter, items, std::move(key), bound.has(1) ? bound[1] : Value());
          }
          return Value::dict(std::move(items));
        }));
  }
};

Value make_namespace(Interpreter& interpreter, const Arguments& arguments) {
  auto space = std::make_shared<Namespace>();
  for (auto& [key, value] : dict_items(interpreter, "namespace", arguments))
    space->set(to_text(key), std::move(value));
  interpreter.adopt(space);
  return Value::object(space);
}

Value make_joiner(Interpreter&, const Arguments& arguments) {
  const Bound bound("joiner", arguments, {"sep"});
  return Value::object(std::make_shared<Joiner>(bound.text_or(0, ", ")));
}

Value make_cycler(Interpreter&, const Arguments& arguments) {
  if (arguments.positional.empty()) raise_python("RuntimeError", "at least one item has to be provided");
  return Value::object(std::make_shared<Cycler>(arguments.positional));
}

Value lipsum(Interpreter&, const Arguments&) { raise(FailureKind::kUnsupported, "the function 'lipsum'"); }

// `self`: Jinja's way to the template's blocks, of which there are none here.
class TemplateReference final : public Object {
 public:
  std::string_view type_name() const override { return "TemplateReference"; }
};

}  // namespace

std::map<std::string, Value, std::less<>> make_globals() {
  std::map<std::string, Value, std::less<>> globals;
  static constexpr std::pair<const char*, Native> kFunctions[] = {{"raise_exception", raise_exception},
                                                                  {"strftime_now", strftime_now},
                                                                  {"range", range},
                                                                  {"namespace", make_namespace},
                                                                  {"joiner", make_joiner},
                                                                  {"cycler", make_cycler},
                                                                  {"lipsum", lipsum}};
  for (const auto& [name, function] : kFunctions)
    globals.emplace(name, Value::object(std::make_shared<NativeFunction>(function)));
  globals.emplace("dict", Value::object(std::make_shared<DictFunction>()));
  globals.emplace("self", Value::object(std::make_shared<TemplateReference>()));
  return globals;
}

}  // namespace micius::jinja
