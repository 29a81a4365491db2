#include "scorers/math_text.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/text.h"

namespace micius {
namespace {

constexpr std::string_view kEnding = "I hope it is correct.";
constexpr std::size_t kMostBytes = Pattern::kMostBytes - kEnding.size();

using Pair = std::pair<std::string_view, std::string_view>;

constexpr std::array<Pair, 10> kSubstitutions{{{"an ", ""},
                                               {"a ", ""},
                                               {".$", "$"},
                                               {"\\$", ""},
                                               {"\\ ", ""},
                                               {" ", ""},
                                               {"mbox", "text"},
                                               {",\\text{and}", ","},
                                               {"\\text{and}", ","},
                                               {"\\text{m}", "\\text{}"}}};

constexpr std::array<std::string_view, 40> kRemoved{
    "square",          "ways",       "integers",   "dollars",   "mph",
    "inches",          "ft",         "hours",      "km",        "units",
    "\\ldots",         "sue",        "points",     "feet",      "minutes",
    "digits",          "cents",      "degrees",    "cm",        "gm",
    "pounds",          "meters",     "meals",      "edges",     "students",
    "childrentickets", "multiples",  "\\text{s}",  "\\text{.}", "\\text{\ns}",
    "\\text{}^2",      "\\text{}^3", "\\text{\n}", "\\text{}",  "\\mathrm{th}",
    "^\\circ",         "^{\\circ}",  "\\;",        ",\\!",      "{,}"};
constexpr std::array<std::string_view, 2> kRemovedLast{"\"", "\\dots"};

// strip_string's, up to the units.
constexpr std::array<Pair, 10> kStrip{{{"\n", ""},
                                       {"\\!", ""},
                                       {"\\\\", "\\"},
                                       {"tfrac", "frac"},
                                       {"dfrac", "frac"},
                                       {"\\left", ""},
                                       {"\\right", ""},
                                       {"^{\\circ}", ""},
                                       {"^\\circ", ""},
                                       {"\\$", ""}}};

std::vector<std::string_view> split_at(std::string_view text, std::string_view separator) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t end = text.find(separator, start);
    parts.push_back(text.substr(start, end - start));
    if (end == std::string_view::npos) return parts;
    start = end + separator.size();
  }
}

// The first code point, and moves behind it.
std::string_view take_code_point(std::string_view& text) {
  std::size_t size = 0;
  next_code_point(text, size);
  const std::string_view taken = text.substr(0, size);
  text.remove_prefix(size);
  return taken;
}

// Moves the first code point of `text` to the end of `out`, in braces.
void take_braced(std::string& out, std::string_view& text) {
  out += '{';
  out += take_code_point(text);
  out += '}';
}

// Absent: Python's IndexError for an empty part.
std::optional<std::string> fix_sqrt(const std::string& text) {
  const std::vector<std::string_view> parts = split_at(text, "\\sqrt");
  std::string out(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    if (part.empty()) return std::nullopt;
    out += "\\sqrt";
    if (part[0] != '{') take_braced(out, part);
    out += part;
  }
  return out;
}

std::optional<std::string> fix_fracs(const std::string& text) {
  const std::vector<std::string_view> parts = split_at(text, "\\frac");
  std::string out(parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    std::string_view part = parts[i];
    if (part.empty()) return std::nullopt;
    out += "\\frac";
    if (part[0] != '{') {
      take_braced(out, part);
      if (part.empty()) return text;
      if (part[0] != '{') take_braced(out, part);
    }
    out += part;
  }
  return out;
}

enum class Integer { kNone, kOther, kCanonical };

// What Python's int() makes of it; canonical: the number prints as the same text.
Integer integer_kind(std::string_view text) {
  const bool minus = !text.empty() && text[0] == '-', sign = minus || (!text.empty() && text[0] == '+');
  const std::string_view digits = text.substr(sign ? 1 : 0);
  bool plain = !digits.empty();
  for (std::size_t i = 0; i < digits.size(); ++i) {
    const bool digit = digits[i] >= '0' && digits[i] <= '9';
    const bool joint = digits[i] == '_' && i > 0 && i + 1 < digits.size() && digits[i - 1] != '_';
    if (!digit && !joint) return Integer::kNone;
    plain = plain && digit;
  }
  if (digits.empty()) return Integer::kNone;
  const bool zeros = digits[0] == '0' && (digits.size() > 1 || minus);
  return plain && !zeros && (minus || !sign) ? Integer::kCanonical : Integer::kOther;
}

std::optional<std::string> fix_a_slash_b(const std::string& text) {
  const std::vector<std::string_view> parts = split_at(text, "/");
  if (parts.size() != 2) return text;
  const Integer a = integer_kind(parts[0]), b = integer_kind(parts[1]);
  if (a == Integer::kNone || b == Integer::kNone) return std::nullopt;  // int() raises ValueError
  if (a == Integer::kOther || b == Integer::kOther) return text;
  return "\\frac{" + std::string(parts[0]) + "}{" + std::string(parts[1]) + "}";
}

}  // namespace

std::optional<std::string> MinervaText::answer(std::string_view text) const {
  std::optional<std::string> found;
  final_.for_each(std::string(text.substr(0, kMostBytes)).append(kEnding), [&](const PatternMatch& m) {
    found = strip(m.groups[1]);
    return false;
  });
  return found;
}

std::string MinervaText::normal_form(std::string_view answer) const {
  std::string form(answer.substr(0, kMostBytes));
  form = form.substr(form.rfind('=') + 1);  // npos + 1 is 0
  for (const auto& [from, to] : kSubstitutions) form = micius::replace_all(std::move(form), from, to);
  for (const std::string_view removed : kRemoved) form = micius::replace_all(std::move(form), removed, "");
  for (const std::string_view removed : kRemovedLast)
    form = micius::replace_all(std::move(form), removed, "");
  form = dollars_.replace_all(form, "$\\3$");
  for (const Pattern* pattern : {&text_, &bold_, &overline_, &boxed_})
    form = pattern->replace_all(form, "\\2");
  form = fraction_.replace_all(form, "frac{\\2}{\\3}");
  form = root_.replace_all(form, "sqrt{\\2}");
  form = micius::replace_all(std::move(form), "$", "");
  const std::string digits = micius::replace_all(form, ",", "");
  const bool all = !digits.empty() &&
                   std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  return all ? digits : form;
}

std::string_view between_dollars(std::string_view text) {
  const std::size_t first = text.find('$'), last = text.rfind('$');
  return first == last ? text : text.substr(first + 1, last - first - 1);
}

std::optional<std::string> strip_string(std::string_view answer) {
  std::string form(answer.substr(0, kMostBytes));
  for (const auto& [from, to] : kStrip) form = micius::replace_all(std::move(form), from, to);
  const std::vector<std::string_view> units = split_at(form, "\\text{ ");
  if (units.size() > 2) return std::nullopt;
  form = std::string(units.front());
  for (const auto& [from, to] : std::array<Pair, 3>{{{"\\%", ""}, {" .", " 0."}, {"{.", "{0."}}})
    form = micius::replace_all(std::move(form), from, to);
  if (form.empty()) return form;
  if (form[0] == '.') form = "0" + form;
  const std::vector<std::string_view> sides = split_at(form, "=");
  if (sides.size() == 2 && code_points(sides[0]) <= 2) form = std::string(sides[1]);
  auto fixed = fix_sqrt(form);
  if (!fixed) return std::nullopt;
  fixed = fix_fracs(micius::replace_all(*std::move(fixed), " ", ""));
  if (!fixed) return std::nullopt;
  if (*fixed == "0.5") fixed = "\\frac{1}{2}";
  return fix_a_slash_b(*fixed);
}

}  // namespace micius
