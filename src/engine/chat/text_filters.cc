// Filters that make a text or a number.
#include <algorithm>
#include <charconv>
#include <cmath>

#include <utf8proc.h>

#include "base/text.h"
#include "engine/chat/failure.h"
#include "engine/chat/filters.h"
#include "engine/chat/operators.h"
#include "engine/chat/text_methods.h"
#include "engine/chat/unicode_case.h"

namespace micius::jinja {
namespace {

Value default_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Bound bound("default", arguments, {"default_value", "boolean"});
  const bool missing = input.is_undefined() || (bound.boolean_or(1, false) && !is_true(input));
  if (!missing) return input;
  return arguments.positional.empty() && arguments.named.empty() ? Value("")
         : bound.has(0)                                          ? bound[0]
                                                                 : Value();
}

Value trim_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Bound bound("trim", arguments, {"chars"});
  const std::string text = to_text(input);
  if (!bound.has(0)) return Value(strip(text));
  return Value(strip_text(text, bound.text(0), Side::kBoth));
}

// Jinja's own title: a capital behind blanks, hyphens and opening brackets only.
std::string jinja_title(std::string_view text) {
  std::string out;
  std::size_t begin = 0;
  const auto add_word = [&](std::size_t end) {
    if (begin == end) return;
    std::size_t first = begin;
    next_code_point(text, first);
    out += upper(text.substr(begin, first - begin)) + lower(text.substr(first, end - first));
  };
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t place = i;
    const char32_t c = next_code_point(text, i);
    if (!is_unicode_space(c) &&
        (c >= 0x80 || std::string_view("-({[<").find(static_cast<char>(c)) == std::string_view::npos))
      continue;
    add_word(place);
    out += text.substr(place, i - place);
    begin = i;
  }
  add_word(text.size());
  return out;
}

template <std::string (*map)(std::string_view)>
Value case_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Bound bound("upper", arguments, {});
  return Value(map(to_text(input)));
}

Value string_filter(Interpreter&, const Value& input, const Arguments&) {
  return input.is_text() ? input : Value(to_text(input));
}

Value safe_filter(Interpreter&, const Value& input, const Arguments&) {
  return Value::markup(to_text(input));
}

Value escape_filter(Interpreter&, const Value& input, const Arguments&) {
  if (input.is_text() && input.get<Text>()->markup) return input;
  return Value::markup(escape_html(to_text(input)));
}

Value forceescape_filter(Interpreter&, const Value& input, const Arguments&) {
  return Value::markup(escape_html(to_text(input)));
}

Value replace_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("replace", arguments, {"old", "new", "count"}, 2);
  return Value(replace_text(interpreter, to_text(input), to_text(bound[0]), to_text(bound[1]),
                            bound.integer_or(2, -1)));
}

Value indent_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("indent", arguments, {"width", "first", "blank"});
  std::string margin;
  if (bound.has(0) && bound[0].is_text()) {
    margin = bound[0].text();
  } else {
    const std::int64_t width = bound.integer_or(0, 4);
    interpreter.tick_bytes(static_cast<std::uint64_t>(std::max<std::int64_t>(0, width)));
    margin.assign(static_cast<std::size_t>(std::max<std::int64_t>(0, width)), ' ');
  }
  const bool indent_blank = bound.boolean_or(2, false);
  const std::string text = to_text(input) + "\n";  // so that a last empty line counts
  std::string out = bound.boolean_or(1, false) ? margin : "";
  bool is_first = true;
  for (const std::string_view line : split_lines(text)) {
    interpreter.tick_bytes(line.size() + margin.size());
    if (!is_first) out += '\n';
    if (!is_first && (indent_blank || !line.empty())) out += margin;
    out += line;
    is_first = false;
  }
  return Value(std::move(out));
}

std::optional<std::int64_t> read_integer(std::string_view text, int base) {
  text = strip(text);
  const bool minus = text.substr(0, 1) == "-";
  if (minus || text.substr(0, 1) == "+") text.remove_prefix(1);
  const std::string prefix = lower_ascii(text.substr(0, 2));
  if ((base == 16 && prefix == "0x") || (base == 8 && prefix == "0o") || (base == 2 && prefix == "0b"))
    text.remove_prefix(2);
  std::int64_t value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size() || value < 0) return std::nullopt;
  return minus ? -value : value;
}

std::optional<double> read_float(std::string_view text) {
  text = strip(text);
  if (text.substr(0, 1) == "+") text.remove_prefix(1);
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || result.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<double> float_of(const Value& value) {
  if (const auto* undefined = value.get<Undefined>()) raise_undefined(*undefined);
  return value.is_text() ? read_float(value.text()) : value.number();
}

Value int_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Bound bound("int", arguments, {"default", "base"});
  Value fallback = bound.has(0) ? bound[0] : Value(std::int64_t{0});
  const std::int64_t base = bound.integer_or(1, 10);
  if (input.is_text() && base >= 2 && base <= 36) {
    if (const auto integer = read_integer(input.text(), static_cast<int>(base))) return Value(*integer);
  }
  if (const auto integer = input.integer()) return Value(*integer);
  const auto number = float_of(input);
  if (!number || !std::isfinite(*number)) return fallback;
  if (std::fabs(*number) >= 9e18) raise(FailureKind::kUnsupported, "an integer of more than 64 bits");
  return Value(static_cast<std::int64_t>(*number));
}

Value float_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Bound bound("float", arguments, {"default"});
  if (const auto number = float_of(input)) return Value(*number);
  return bound.has(0) ? bound[0] : Value(0.0);
}

Value abs_filter(Interpreter&, const Value& input, const Arguments&) {
  const Value negative = signed_value("-", input);
  return less(input, Value(std::int64_t{0})) ? negative : signed_value("+", input);
}

Value round_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Bound bound("round", arguments, {"precision", "method"});
  const std::string method = bound.text_or(1, "common");
  const auto number = input.number();
  if (const auto* undefined = input.get<Undefined>()) raise_undefined(*undefined);
  if (!number) raise_type_error("type {} doesn't define __round__ method", type_name(input));
  const std::int64_t precision = std::clamp<std::int64_t>(bound.integer_or(0, 0), -300, 300);
  if (method == "common") {
    if (input.integer() && precision >= 0) return Value(*input.integer());
    if (precision < 0) {
      const double unit = std::pow(10.0, static_cast<double>(-precision));
      return Value(std::nearbyint(*number / unit) * unit);
    }
    // As Python: the nearest decimal of so many digits, by way of its text.
    return Value(std::strtod(fmt::format("{:.{}f}", *number, precision).c_str(), nullptr));
  }
  if (method != "ceil" && method != "floor")
    raise_python("FilterArgumentError", "method must be common, ceil or floor");
  const double unit = std::pow(10.0, static_cast<double>(precision));
  return Value((method == "ceil" ? std::ceil(*number * unit) : std::floor(*number * unit)) / unit);
}

bool is_word_character(char32_t c) {
  const int category = utf8proc_category(static_cast<utf8proc_int32_t>(c));
  return c == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

Value wordcount_filter(Interpreter&, const Value& input, const Arguments&) {
  const std::string text = to_text(input);
  std::size_t words = 0;
  bool inside = false;
  for (std::size_t i = 0; i < text.size();) {
    const bool in_word = is_word_character(next_code_point(text, i));
    if (in_word && !inside) ++words;
    inside = in_word;
  }
  return Value::count(words);
}

Value truncate_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  const Bound bound("truncate", arguments, {"length", "killwords", "end", "leeway"});
  const std::string end = bound.text_or(2, "...");
  const std::int64_t length = bound.integer_or(0, 255), leeway = bound.integer_or(3, 5);
  const auto end_size = static_cast<std::int64_t>(code_points(end));
  if (length < end_size) raise_python("AssertionError", "expected length >= {}, got {}", end_size, length);
  if (leeway < 0) raise_python("AssertionError", "expected leeway >= 0, got {}", leeway);
  const std::u32string text = decode_utf8(to_text(input));
  if (static_cast<std::int64_t>(text.size()) - leeway <= length) return Value(encode_utf8(text));
  std::u32string kept = text.substr(0, static_cast<std::size_t>(length - end_size));
  const std::size_t blank = kept.rfind(U' ');
  if (!bound.boolean_or(1, false) && blank != std::u32string::npos) kept.resize(blank);
  return Value(encode_utf8(kept) + end);
}

Value center_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("center", arguments, {"width"});
  return Value(center_text(interpreter, to_text(input), bound.integer_or(0, 80)));
}

Value format_filter(Interpreter&, const Value& input, const Arguments& arguments) {
  if (!arguments.named.empty()) raise(FailureKind::kUnsupported, "the filter 'format' with names");
  return Value(format_percent(to_text(input), Value::sequence(arguments.positional, Sequence::Kind::kTuple)));
}

Value urlencode_filter(Interpreter&, const Value& input, const Arguments&) {
  if (input.is<Dict>() || input.is<Sequence>())
    raise(FailureKind::kUnsupported, "the filter 'urlencode' of pairs");
  std::string out;
  for (const char c : to_text(input)) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("_.-~/").find(c) != std::string_view::npos;
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
  }
  return Value(std::move(out));
}

// One line only: what pprint does with values of up to 80 columns.
Value pprint_filter(Interpreter&, const Value& input, const Arguments&) {
  std::string text = to_repr(input);
  if (code_points(text) > 80) raise(FailureKind::kUnsupported, "the filter 'pprint' of more than 80 columns");
  return Value(std::move(text));
}

Value tojson_filter(Interpreter& interpreter, const Value& input, const Arguments& arguments) {
  const Bound bound("tojson", arguments, {"ensure_ascii", "indent", "separators", "sort_keys"});
  JsonStyle style;
  style.ensure_ascii = bound.boolean_or(0, false);
  style.sort_keys = bound.boolean_or(3, false);
  if (bound.has(1)) {
    style.item_separator = ",";
    const std::int64_t width =
        bound[1].is_text() ? 0 : std::clamp<std::int64_t>(bound.integer_or(1, 0), 0, 100);
    style.indent = bound[1].is_text() ? bound[1].text() : std::string(static_cast<std::size_t>(width), ' ');
    interpreter.tick(input.size().weight / 16 * (style.indent->size() + 1));
  }
  if (bound.has(2)) {
    const std::vector<Value> separators = items_of(bound[2]);
    if (separators.size() != 2 || !separators[0].is_text() || !separators[1].is_text())
      raise_type_error("tojson() separators must be two texts");
    style.item_separator = separators[0].text();
    style.key_separator = separators[1].text();
  }
  return Value(to_json(input, style));
}

}  // namespace

Filter find_text_filter(std::string_view name) {
  static constexpr std::pair<std::string_view, Filter> kFilters[] = {
      {"abs", abs_filter},
      {"capitalize", case_filter<capitalize>},
      {"center", center_filter},
      {"d", default_filter},
      {"default", default_filter},
      {"e", escape_filter},
      {"escape", escape_filter},
      {"float", float_filter},
      {"forceescape", forceescape_filter},
      {"format", format_filter},
      {"indent", indent_filter},
      {"int", int_filter},
      {"lower", case_filter<lower>},
      {"pprint", pprint_filter},
      {"replace", replace_filter},
      {"round", round_filter},
      {"safe", safe_filter},
      {"string", string_filter},
      {"title", case_filter<jinja_title>},
      {"tojson", tojson_filter},
      {"trim", trim_filter},
      {"truncate", truncate_filter},
      {"upper", case_filter<upper>},
      {"urlencode", urlencode_filter},
      {"wordcount", wordcount_filter},
  };
  for (const auto& [known, filter] : kFilters) {
    if (known == name) return filter;
  }
  return nullptr;
}

}  // namespace micius::jinja
