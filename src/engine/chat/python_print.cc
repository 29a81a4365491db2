// How Python writes values: str(), repr() and json.dumps().
#include <algorithm>
#include <charconv>
#include <cmath>

#include <utf8proc.h>

#include "base/text.h"
#include "engine/chat/failure.h"
#include "engine/chat/value.h"

namespace micius::jinja {
namespace {

bool is_printable(char32_t c) {
  if (c == ' ') return true;
  switch (utf8proc_category(static_cast<utf8proc_int32_t>(c))) {
    case UTF8PROC_CATEGORY_CC:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_CS:
    case UTF8PROC_CATEGORY_CO:
    case UTF8PROC_CATEGORY_CN:
    case UTF8PROC_CATEGORY_ZL:
    case UTF8PROC_CATEGORY_ZP:
    case UTF8PROC_CATEGORY_ZS:
      return false;
    default:
      return true;
  }
}

std::string join_reprs(const std::vector<Value>& items) {
  std::string out;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    out += to_repr(items[i]);
  }
  return out;
}

std::string dict_repr(const DictItems& dict) {
  std::string out = "{";
  for (std::size_t i = 0; i < dict.size(); ++i) {
    if (i > 0) out += ", ";
    out += to_repr(dict[i].first) + ": " + to_repr(dict[i].second);
  }
  return out + "}";
}

std::string sequence_repr(const Sequence& sequence) {
  const std::vector<Value>& items = *sequence.items;
  switch (sequence.kind) {
    case Sequence::Kind::kList:
      return "[" + join_reprs(items) + "]";
    case Sequence::Kind::kTuple:
      return "(" + join_reprs(items) + (items.size() == 1 ? ",)" : ")");
    case Sequence::Kind::kKeys:
      return "dict_keys([" + join_reprs(items) + "])";
    case Sequence::Kind::kValues:
      return "dict_values([" + join_reprs(items) + "])";
    case Sequence::Kind::kItems:
      return "dict_items([" + join_reprs(items) + "])";
    case Sequence::Kind::kRange:
    case Sequence::Kind::kGenerator:
      break;
  }
  raise(FailureKind::kUnsupported, "printing a {} (put |list behind it)",
        sequence.kind == Sequence::Kind::kRange ? "range" : "generator");
}

std::string json_text(std::string_view text, bool ensure_ascii) {
  std::string out = "\"";
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    static constexpr std::string_view kFrom = "\"\\\n\r\t\f\b", kTo = "\"\\nrtfb";
    const std::size_t place = c < 0x80 ? kFrom.find(static_cast<char>(c)) : std::string_view::npos;
    if (place != std::string_view::npos) {
      out += {'\\', kTo[place]};
    } else if (c < 0x20 || (ensure_ascii && c >= 0x7F && c < 0x10000)) {
      out += fmt::format("\\u{:04x}", static_cast<std::uint32_t>(c));
    } else if (ensure_ascii && c >= 0x10000) {
      const auto rest = static_cast<std::uint32_t>(c) - 0x10000;
      out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10), 0xDC00 + (rest & 0x3FF));
    } else {
      append_utf8(out, c);
    }
  }
  return out + "\"";
}

class JsonPrinter {
 public:
  explicit JsonPrinter(const JsonStyle& style) : style_(style) {}

  void print(const Value& value) {
    if (const auto* sequence = value.get<Sequence>();
        sequence != nullptr &&
        (sequence->kind == Sequence::Kind::kList || sequence->kind == Sequence::Kind::kTuple)) {
      print_list(*sequence->items);
    } else if (const auto* dict = value.get<Dict>()) {
      print_dict(*dict->items);
    } else if (value.is_text()) {
      out_ += json_text(value.text(), style_.ensure_ascii);
    } else if (const auto scalar = scalar_of(value)) {
      out_ += *scalar;
    } else {
      raise_type_error("Object of type {} is not JSON serializable", type_name(value));
    }
  }

  std::string take() { return std::move(out_); }

 private:
  static std::optional<std::string> scalar_of(const Value& value) {
    if (value.is_none()) return "null";
    if (const auto* b = value.get<bool>()) return *b ? "true" : "false";
    if (const auto* i = value.get<std::int64_t>()) return std::to_string(*i);
    const auto* d = value.get<double>();
    if (d == nullptr) return std::nullopt;
    if (std::isnan(*d)) return "NaN";
    if (std::isinf(*d)) return *d > 0 ? "Infinity" : "-Infinity";
    return float_repr(*d);
  }

  void new_line() {
    if (!style_.indent) return;
    out_ += '\n';
    for (int i = 0; i < depth_; ++i) out_ += *style_.indent;
  }

  template <typename Items, typename Fn>
  void print_items(const Items& items, char open, char close, Fn print_item) {
    out_ += open;
    ++depth_;
    for (std::size_t i = 0; i < items.size(); ++i) {
      if (i > 0) out_ += style_.item_separator;
      new_line();
      print_item(items[i]);
    }
    --depth_;
    if (!items.empty()) new_line();
    out_ += close;
  }

  void print_list(const std::vector<Value>& items) {
    print_items(items, '[', ']', [&](const Value& item) { print(item); });
  }

  void print_dict(DictItems items) {
    if (style_.sort_keys)
      std::stable_sort(items.begin(), items.end(),
                       [](const auto& a, const auto& b) { return less(a.first, b.first); });
    print_items(items, '{', '}', [&](const std::pair<Value, Value>& item) {
      const Value& key = item.first;
      const auto scalar = scalar_of(key);
      if (!key.is_text() && !scalar)
        raise_type_error("keys must be str, int, float, bool or None, not {}", type_name(key));
      out_ += json_text(key.is_text() ? key.text() : *scalar, style_.ensure_ascii) + style_.key_separator;
      print(item.second);
    });
  }

  const JsonStyle& style_;
  std::string out_;
  int depth_ = 0;
};

}  // namespace

std::string float_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char buffer[64];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific).ptr;
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  int exponent = 0;
  const std::size_t e = text.find('e');
  const std::size_t sign = text[e + 1] == '+' ? 2 : 1;
  std::from_chars(text.data() + e + sign, text.data() + text.size(), exponent);
  if (exponent < -4 || exponent >= 16) return std::string(text);
  const auto fixed = std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed).ptr;
  std::string out(buffer, fixed);
  return out.find('.') == std::string::npos ? out + ".0" : out;
}

std::string text_repr(std::string_view text) {
  const bool has_single = text.find('\'') != std::string_view::npos;
  const char quote = has_single && text.find('"') == std::string_view::npos ? '"' : '\'';
  std::string out(1, quote);
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (c == static_cast<char32_t>(quote) || c == '\\') {
      out += {'\\', static_cast<char>(c)};
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += {'\\', c == '\n' ? 'n' : c == '\r' ? 'r' : 't'};
    } else if (is_printable(c)) {
      append_utf8(out, c);
    } else {
      const auto code = static_cast<std::uint32_t>(c);
      out += code < 0x100     ? fmt::format("\\x{:02x}", code)
             : code < 0x10000 ? fmt::format("\\u{:04x}", code)
                              : fmt::format("\\U{:08x}", code);
    }
  }
  return out + quote;
}

std::string to_text(const Value& value) {
  if (value.is_text()) return value.text();
  if (value.is_undefined()) return {};
  return to_repr(value);
}

std::string to_repr(const Value& value) {
  if (value.is_undefined()) return "Undefined";
  if (value.is_none()) return "None";
  if (const auto* b = value.get<bool>()) return *b ? "True" : "False";
  if (const auto* i = value.get<std::int64_t>()) return std::to_string(*i);
  if (const auto* d = value.get<double>()) return float_repr(*d);
  if (value.is_text()) return text_repr(value.text());
  if (const auto* sequence = value.get<Sequence>()) return sequence_repr(*sequence);
  if (const auto* dict = value.get<Dict>()) return dict_repr(*dict->items);
  raise(FailureKind::kUnsupported, "printing a {}", type_name(value));
}

std::string to_json(const Value& value, const JsonStyle& style) {
  JsonPrinter printer(style);
  printer.print(value);
  return printer.take();
}

}  // namespace micius::jinja
