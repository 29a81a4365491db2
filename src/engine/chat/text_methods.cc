#include "engine/chat/text_methods.h"

#include <algorithm>
#include <array>
#include <functional>

#include <utf8proc.h>

#include "base/text.h"
#include "engine/chat/failure.h"
#include "engine/chat/operators.h"
#include "engine/chat/unicode_case.h"

namespace micius::jinja {
namespace {

std::optional<std::string_view> optional_text(const Bound& bound, std::size_t i) {
  return bound.has(i) ? std::optional<std::string_view>(bound.text(i)) : std::nullopt;
}

template <Side side>
Value strip_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("strip", arguments, {"chars"});
  return Value(strip_text(self.text(), optional_text(bound, 0), side));
}

std::vector<Value> texts(const std::vector<std::string_view>& parts) { return {parts.begin(), parts.end()}; }

// At runs of blanks, at most `limit` times (negative: always).
std::vector<std::string_view> split_blanks(std::string_view text, std::int64_t limit) {
  std::vector<std::string_view> parts;
  std::size_t word = std::string_view::npos;  // start of the word that is being read
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t place = i;
    const bool blank = is_unicode_space(next_code_point(text, i));
    if (!blank && word == std::string_view::npos) {
      word = place;
      if (limit >= 0 && parts.size() == static_cast<std::size_t>(limit)) break;
    } else if (blank && word != std::string_view::npos) {
      parts.push_back(text.substr(word, place - word));
      word = std::string_view::npos;
    }
  }
  if (word != std::string_view::npos) parts.push_back(text.substr(word));
  return parts;
}

// The same from the right: what is left over stands first.
std::vector<std::string_view> split_blanks_from_right(std::string_view text, std::int64_t limit) {
  std::vector<std::string_view> parts = split_blanks(text, -1);
  if (limit < 0 || parts.size() <= static_cast<std::size_t>(limit)) return parts;
  const std::size_t first = parts.size() - static_cast<std::size_t>(limit);  // of those that are split off
  const std::string_view last_joined = parts[first - 1];
  const auto end = static_cast<std::size_t>(last_joined.data() + last_joined.size() - text.data());
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(first));
  parts.insert(parts.begin(), text.substr(0, end));
  return parts;
}

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator, std::int64_t limit,
                                       Side from) {
  std::vector<std::string_view> parts;
  while (limit < 0 || parts.size() < static_cast<std::size_t>(limit)) {
    const std::size_t place = from == Side::kLeft ? text.find(separator) : text.rfind(separator);
    if (place == std::string_view::npos) break;
    const std::string_view rest = text.substr(place + separator.size());
    parts.push_back(from == Side::kLeft ? text.substr(0, place) : rest);
    text = from == Side::kLeft ? rest : text.substr(0, place);
  }
  parts.push_back(text);
  if (from == Side::kRight) std::reverse(parts.begin(), parts.end());
  return parts;
}

template <Side from>
Value split_method(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound("split", arguments, {"sep", "maxsplit"});
  const std::int64_t limit = bound.integer_or(1, -1);
  interpreter.tick_bytes(self.text().size());
  if (!bound.has(0)) {
    return Value::sequence(texts(from == Side::kLeft ? split_blanks(self.text(), limit)
                                                     : split_blanks_from_right(self.text(), limit)));
  }
  if (bound.text(0).empty()) raise_python("ValueError", "empty separator");
  return Value::sequence(texts(split_at(self.text(), bound.text(0), limit, from)));
}

template <Side from>
Value partition_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("partition", arguments, {"sep"}, 1);
  const std::string &text = self.text(), &separator = bound.text(0);
  if (separator.empty()) raise_python("ValueError", "empty separator");
  const std::size_t place = from == Side::kLeft ? text.find(separator) : text.rfind(separator);
  std::vector<Value> parts;
  if (place != std::string::npos) {
    parts = {Value(text.substr(0, place)), Value(separator), Value(text.substr(place + separator.size()))};
  } else if (from == Side::kLeft) {
    parts = {self, Value(""), Value("")};
  } else {
    parts = {Value(""), Value(""), self};
  }
  return Value::sequence(std::move(parts), Sequence::Kind::kTuple);
}

// text[start:end] of methods that take these two.
std::string_view window(const Value& self, const Bound& bound, std::size_t first, std::string& storage) {
  if (!bound.has(first) && !bound.has(first + 1)) return self.text();
  const auto bound_at = [&](std::size_t i) {
    return bound.has(i) ? std::optional(bound.integer_or(i, 0)) : std::nullopt;
  };
  storage = slice(self, bound_at(first), bound_at(first + 1), std::nullopt).text();
  return storage;
}

template <Side side>
Value with_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound(side == Side::kLeft ? "startswith" : "endswith", arguments, {"prefix", "start", "end"},
                    1);
  std::string storage;
  const std::string_view text = window(self, bound, 1, storage);
  const auto matches = [&](const Value& part) {
    if (!part.is_text()) {
      raise_type_error("{} first arg must be str or a tuple of str, not {}",
                       side == Side::kLeft ? "startswith" : "endswith", type_name(part));
    }
    const std::string& p = part.text();
    return p.size() <= text.size() &&
           (side == Side::kLeft ? text.substr(0, p.size()) : text.substr(text.size() - p.size())) == p;
  };
  const auto* sequence = bound[0].get<Sequence>();
  if (sequence == nullptr || sequence->kind != Sequence::Kind::kTuple) return Value(matches(bound[0]));
  return Value(std::any_of(sequence->items->begin(), sequence->items->end(), matches));
}

template <Side side>
Value remove_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("removeprefix", arguments, {"prefix"}, 1);
  const std::string &text = self.text(), &part = bound.text(0);
  if (part.size() > text.size()) return self;
  const std::size_t rest = text.size() - part.size();
  if (text.compare(side == Side::kLeft ? 0 : rest, part.size(), part) != 0) return self;
  return Value(side == Side::kLeft ? text.substr(part.size()) : text.substr(0, rest));
}

template <Side from, bool must_be_there>
Value find_method_of_text(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("find", arguments, {"sub"}, 1);
  const std::string& text = self.text();
  const std::size_t place = from == Side::kLeft ? text.find(bound.text(0)) : text.rfind(bound.text(0));
  if (place != std::string::npos) return Value::count(code_points(std::string_view(text).substr(0, place)));
  if (must_be_there) raise_python("ValueError", "substring not found");
  return Value(std::int64_t{-1});
}

Value count_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("count", arguments, {"sub"}, 1);
  const std::string &text = self.text(), &part = bound.text(0);
  if (part.empty()) return Value::count(code_points(text) + 1);
  std::size_t n = 0;
  for (std::size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + part.size())) ++n;
  return Value::count(n);
}

Value replace_method(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound("replace", arguments, {"old", "new", "count"}, 2);
  return Value(replace_text(interpreter, self.text(), bound.text(0), bound.text(1), bound.integer_or(2, -1)));
}

Value join_method(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound("join", arguments, {"iterable"}, 1);
  std::string out;
  std::size_t i = 0;
  for (const Value& item : items_of(bound[0])) {
    if (!item.is_text())
      raise_type_error("sequence item {}: expected str instance, {} found", i, type_name(item));
    if (i++ > 0) out += self.text();
    out += item.text();
    interpreter.tick_bytes(self.text().size() + item.text().size());
  }
  return Value(std::move(out));
}

Value splitlines_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("splitlines", arguments, {"keepends"});
  if (bound.boolean_or(0, false)) raise(FailureKind::kUnsupported, "splitlines(keepends=true)");
  return Value::sequence(texts(split_lines(self.text())));
}

template <std::string (*map)(std::string_view)>
Value case_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("upper", arguments, {});
  return Value(map(self.text()));
}

template <bool (*predicate)(std::string_view)>
Value predicate_method(Interpreter&, const Value& self, const Arguments& arguments) {
  const Bound bound("isupper", arguments, {});
  return Value(predicate(self.text()));
}

// Is there a character, and are all of one of the kinds?
template <typename Predicate>
bool all_characters(std::string_view text, Predicate predicate) {
  for (std::size_t i = 0; i < text.size();) {
    const char32_t c = next_code_point(text, i);
    if (!predicate(c, utf8proc_category(static_cast<utf8proc_int32_t>(c)))) return false;
  }
  return !text.empty();
}

bool is_letter(utf8proc_category_t category) {
  return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO;
}
// Superscripts are digits to Python, fractions are not.
bool is_digit(char32_t c, utf8proc_category_t category) {
  return category == UTF8PROC_CATEGORY_ND || c == 0xB2 || c == 0xB3 || c == 0xB9 ||
         (c >= 0x2070 && c <= 0x2089) || (c >= 0x2460 && c <= 0x2468);
}
bool all_digits(std::string_view text) { return all_characters(text, is_digit); }
bool all_decimals(std::string_view text) {
  return all_characters(text, [](char32_t, auto category) { return category == UTF8PROC_CATEGORY_ND; });
}
bool all_letters(std::string_view text) {
  return all_characters(text, [](char32_t, auto category) { return is_letter(category); });
}
bool all_alphanumeric(std::string_view text) {
  return all_characters(
      text, [](char32_t c, auto category) { return is_letter(category) || is_digit(c, category); });
}
bool all_blank(std::string_view text) {
  return all_characters(text, [](char32_t c, auto) { return is_unicode_space(c); });
}

// Python numbers the fields of a format itself or reads all numbers from it.
struct FieldCounter {
  std::size_t next = 0;
  bool read_number = false;
};

// The value of a field of '{}-{name}'.format(...).
const Value& format_field(std::string_view field, const Arguments& arguments, FieldCounter& counter) {
  if (field.find_first_of(".[:!{") != std::string_view::npos)
    raise(FailureKind::kUnsupported, "the format field '{{{}}}'", shorten(field, 40));
  if (std::all_of(field.begin(), field.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
      field.size() < 6) {
    if (field.empty() ? counter.read_number : counter.next > 0)
      raise_python("ValueError", "cannot switch between automatic and manual field numbering");
    counter.read_number = !field.empty();
    const std::size_t index = field.empty() ? counter.next++ : std::stoul(std::string(field));
    if (index >= arguments.positional.size())
      raise_python("IndexError", "Replacement index {} out of range for positional args tuple", index);
    return arguments.positional[index];
  }
  for (const auto& [name, value] : arguments.named) {
    if (name == field) return value;
  }
  raise_python("KeyError", "'{}'", shorten(field, 40));
}

Value format_method(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const std::string_view text = self.text();
  std::string out;
  FieldCounter counter;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool brace = c == '{' || c == '}';
    const bool doubled = brace && i + 1 < text.size() && text[i + 1] == c;
    if (!brace || doubled) {
      out += c;
      i += doubled ? 1 : 0;
      continue;
    }
    const std::size_t end = text.find('}', i);
    if (c == '}' || end == std::string_view::npos)
      raise_python("ValueError", "Single '{}' encountered in format string", c);
    interpreter.tick(arguments.named.size() / 16);
    const std::string value = to_text(format_field(text.substr(i + 1, end - i - 1), arguments, counter));
    interpreter.tick_bytes(value.size());
    out += value;
    i = end;
  }
  return Value(std::move(out));
}

template <Side side>
Value pad_method(Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  const Bound bound("center", arguments, {"width"}, 1);
  const std::int64_t width = bound.integer_or(0, 0);
  if (side == Side::kBoth) return Value(center_text(interpreter, self.text(), width));
  const auto missing = std::max<std::int64_t>(0, width - static_cast<std::int64_t>(code_points(self.text())));
  interpreter.tick_bytes(static_cast<std::uint64_t>(missing));
  const std::string blanks(static_cast<std::size_t>(missing), ' ');
  return Value(side == Side::kLeft ? self.text() + blanks : blanks + self.text());
}

}  // namespace

std::string strip_text(std::string_view text, std::optional<std::string_view> characters, Side side) {
  const std::u32string set = characters ? decode_utf8(*characters) : std::u32string();
  const auto goes = [&](char32_t c) {
    return characters ? set.find(c) != std::u32string::npos : is_unicode_space(c);
  };
  std::size_t begin = 0;
  if (side != Side::kRight) {
    for (std::size_t i = 0; i < text.size(); begin = i) {
      if (!goes(next_code_point(text, i))) break;
    }
  }
  std::size_t end = side == Side::kLeft ? text.size() : begin;
  for (std::size_t i = begin; side != Side::kLeft && i < text.size();) {
    if (!goes(next_code_point(text, i))) end = i;
  }
  return std::string(text.substr(begin, end - begin));
}

std::string replace_text(Interpreter& interpreter, std::string_view text, std::string_view from,
                         std::string_view to, std::int64_t count) {
  std::string out;
  std::size_t i = 0;
  for (; count != 0; --count) {
    std::size_t place = i;
    if (!from.empty()) place = text.find(from, i);
    if (place == std::string_view::npos) break;
    interpreter.tick_bytes(place - i + to.size());
    out.append(text.substr(i, place - i)).append(to);
    i = place + from.size();
    if (!from.empty()) continue;
    if (i >= text.size()) return out;  // behind the last character too
    const std::size_t begin = i;
    next_code_point(text, i);
    out.append(text.substr(begin, i - begin));
  }
  return out.append(text.substr(std::min(i, text.size())));
}

std::vector<std::string_view> split_lines(std::string_view text) {
  const auto ends_line = [](char32_t c) {
    return (c >= '\n' && c <= '\r') || (c >= 0x1C && c <= 0x1E) || c == 0x85 || c == 0x2028 || c == 0x2029;
  };
  std::vector<std::string_view> lines;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t place = i;
    const char32_t c = next_code_point(text, i);
    if (!ends_line(c)) continue;
    lines.push_back(text.substr(begin, place - begin));
    if (c == '\r' && i < text.size() && text[i] == '\n') ++i;
    begin = i;
  }
  if (begin < text.size()) lines.push_back(text.substr(begin));
  return lines;
}

std::string center_text(Interpreter& interpreter, std::string_view text, std::int64_t width) {
  const auto size = static_cast<std::int64_t>(code_points(text));
  if (width <= size) return std::string(text);
  const std::int64_t missing = width - size;
  interpreter.tick_bytes(static_cast<std::uint64_t>(missing));
  const std::int64_t left = missing / 2 + (missing & width & 1);  // as CPython rounds it
  return std::string(static_cast<std::size_t>(left), ' ') + std::string(text) +
         std::string(static_cast<std::size_t>(missing - left), ' ');
}

Method find_text_method(std::string_view name) {
  static constexpr std::pair<std::string_view, Method> kMethods[] = {
      {"strip", strip_method<Side::kBoth>},
      {"lstrip", strip_method<Side::kLeft>},
      {"rstrip", strip_method<Side::kRight>},
      {"split", split_method<Side::kLeft>},
      {"rsplit", split_method<Side::kRight>},
      {"splitlines", splitlines_method},
      {"partition", partition_method<Side::kLeft>},
      {"rpartition", partition_method<Side::kRight>},
      {"startswith", with_method<Side::kLeft>},
      {"endswith", with_method<Side::kRight>},
      {"removeprefix", remove_method<Side::kLeft>},
      {"removesuffix", remove_method<Side::kRight>},
      {"find", find_method_of_text<Side::kLeft, false>},
      {"rfind", find_method_of_text<Side::kRight, false>},
      {"index", find_method_of_text<Side::kLeft, true>},
      {"rindex", find_method_of_text<Side::kRight, true>},
      {"count", count_method},
      {"replace", replace_method},
      {"join", join_method},
      {"format", format_method},
      {"upper", case_method<upper>},
      {"lower", case_method<lower>},
      {"title", case_method<title>},
      {"capitalize", case_method<capitalize>},
      {"isupper", predicate_method<is_upper>},
      {"islower", predicate_method<is_lower>},
      {"isdigit", predicate_method<all_digits>},
      {"isdecimal", predicate_method<all_decimals>},
      {"isalpha", predicate_method<all_letters>},
      {"isalnum", predicate_method<all_alphanumeric>},
      {"isspace", predicate_method<all_blank>},
      {"center", pad_method<Side::kBoth>},
      {"ljust", pad_method<Side::kLeft>},
      {"rjust", pad_method<Side::kRight>},
  };
  static constexpr std::string_view kUncovered[] = {
      "casefold",    "encode",  "expandtabs", "format_map", "isascii",   "isidentifier", "isnumeric",
      "isprintable", "istitle", "maketrans",  "swapcase",   "translate", "zfill"};
  for (const auto& [known, method] : kMethods) {
    if (known == name) return method;
  }
  if (std::find(std::begin(kUncovered), std::end(kUncovered), name) != std::end(kUncovered))
    raise(FailureKind::kUnsupported, "the method '{}' of a text", name);
  return nullptr;
}

}  // namespace micius::jinja
