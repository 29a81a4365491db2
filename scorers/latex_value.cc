#include "scorers/latex_value.h"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "base/text.h"
#include "scorers/latex_expression_internal.h"

namespace micius {
namespace {

constexpr std::size_t kMostBytes = 1000, kMostParts = 100;
constexpr int kPoints = 5, kMaxDepth = 8;

// What an answer is made of before any arithmetic.
struct Answer {
  enum class Kind { kExpression, kUnordered, kOrdered, kUnion, kMatrix };
  Kind kind = Kind::kExpression;
  std::string shape;  // brackets of kOrdered, columns of each row of kMatrix
  std::string text;   // of kExpression
  std::vector<Answer> parts;
};

using Texts = std::vector<std::string_view>;

std::size_t bracket_size(std::string_view text, std::size_t at) {
  return text[at] == '\\' && at + 1 < text.size() && (text[at + 1] == '{' || text[at + 1] == '}') ? 2 : 1;
}

// +1 for an opening bracket at `at`, -1 for a closing one.
int bracket(std::string_view text, std::size_t at) {
  const char c = text[at + bracket_size(text, at) - 1];
  return c == '(' || c == '[' || c == '{' ? 1 : c == ')' || c == ']' || c == '}' ? -1 : 0;
}

// At separators outside of all brackets.
Texts split_outside(std::string_view text, std::string_view separator) {
  Texts parts;
  std::size_t begin = 0;
  int depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (depth == 0 && text.substr(i).starts_with(separator)) {
      parts.push_back(text.substr(begin, i - begin));
      begin = i += separator.size();
      continue;
    }
    depth += bracket(text, i);
    i += bracket_size(text, i);
  }
  parts.push_back(text.substr(begin));
  return parts;
}

// Is the bracket at the beginning closed by the one at the end, and not before?
bool is_enclosed(std::string_view text) {
  if (text.empty() || bracket(text, 0) != 1) return false;
  int depth = 0;
  for (std::size_t i = 0; i < text.size();) {
    depth += bracket(text, i);
    i += bracket_size(text, i);
    if (depth == 0) return i == text.size();
  }
  return false;
}

std::optional<Answer> read(std::string_view text, int depth);

std::optional<Answer> read_all(Answer::Kind kind, std::string shape, const Texts& texts, int depth) {
  Answer answer{kind, std::move(shape), "", {}};
  if (texts.size() > kMostParts) return std::nullopt;
  for (const std::string_view text : texts) {
    auto part = read(text, depth + 1);
    if (!part) return std::nullopt;
    answer.parts.push_back(*std::move(part));
  }
  return answer;
}

// \begin{pmatrix} a & b \\ c & d \end{pmatrix}
std::optional<Answer> read_matrix(std::string_view text, int depth) {
  const std::size_t name_end = text.find('}');
  if (name_end == std::string_view::npos) return std::nullopt;
  const std::string name(text.substr(7, name_end - 7)), end = "\\end{" + name + "}";
  if (!name.ends_with("matrix") || !text.ends_with(end)) return std::nullopt;
  text = text.substr(name_end + 1, text.size() - name_end - 1 - end.size());
  Texts cells;
  std::string shape;
  for (const std::string_view row : split_outside(text, "\\\\")) {
    const Texts columns = split_outside(row, "&");
    shape += std::to_string(columns.size()) + " ";
    cells.insert(cells.end(), columns.begin(), columns.end());
  }
  return read_all(Answer::Kind::kMatrix, shape, cells, depth);
}

// "-1,234,567.8" without its commas; absent for anything else: "1,23", "1,2,3".
std::optional<std::string> without_thousands(std::string_view text) {
  const std::size_t sign = text.starts_with('-') ? 1 : 0, point = std::min(text.find('.'), text.size());
  if (point < sign) return std::nullopt;
  std::string digits(text.substr(0, sign));
  const Texts groups = split(text.substr(sign, point - sign), ',');
  for (std::size_t i = 0; i < groups.size(); ++i) {
    const std::string_view group = groups[i];
    const bool fits = i == 0 ? !group.empty() && group.size() <= 3 : group.size() == 3;
    if (!fits || group.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
    digits += group;
  }
  if (groups.size() < 2) return std::nullopt;
  return digits.append(text.substr(point));
}

std::optional<Answer> read(std::string_view text, int depth) {
  text = strip(text);
  if (depth > kMaxDepth || text.empty()) return std::nullopt;
  if (const auto number = without_thousands(text); depth == 0 && number) return read(*number, depth + 1);
  if (text.starts_with("\\begin{")) return read_matrix(text, depth);
  if (const Texts parts = split_outside(text, "\\cup"); parts.size() > 1)
    return read_all(Answer::Kind::kUnion, "", parts, depth);
  if (const Texts parts = split_outside(text, ","); parts.size() > 1)
    return read_all(Answer::Kind::kUnordered, "", parts, depth);
  if (is_enclosed(text)) {
    const std::size_t size = bracket_size(text, 0);
    const std::string_view inside = text.substr(size, text.size() - 2 * size);
    const Texts parts = split_outside(inside, ",");
    if (size == 2) return read_all(Answer::Kind::kUnordered, "", parts, depth);
    if (parts.size() > 1) return read_all(Answer::Kind::kOrdered, {text.front(), text.back()}, parts, depth);
  }
  Answer answer{Answer::Kind::kExpression, "", std::string(text), {}};
  if (!latex_expression(text, 0)) return std::nullopt;
  return answer;
}

bool same_expression(const std::string& a, const std::string& b) {
  bool same = false;
  for (int point = 0; point < kPoints; ++point) {
    const auto x = latex_expression(a, point), y = latex_expression(b, point);
    if (!x || !y) return false;
    const Comparison comparison = compare(*x, *y);
    if (comparison == Comparison::kDifferent) return false;
    same = same || comparison == Comparison::kSame;
  }
  return same;
}

bool same(const Answer& a, const Answer& b) {
  if (a.kind != b.kind || a.shape != b.shape || a.parts.size() != b.parts.size()) return false;
  if (a.kind == Answer::Kind::kExpression) return same_expression(a.text, b.text);
  if (a.kind == Answer::Kind::kOrdered || a.kind == Answer::Kind::kMatrix)
    return std::equal(a.parts.begin(), a.parts.end(), b.parts.begin(), same);
  std::vector<bool> taken(b.parts.size());
  return std::all_of(a.parts.begin(), a.parts.end(), [&](const Answer& part) {
    for (std::size_t i = 0; i < b.parts.size(); ++i) {
      if (taken[i] || !same(part, b.parts[i])) continue;
      return taken[i] = true, true;
    }
    return false;
  });
}

std::string without_layout(std::string_view text) {
  std::string plain(text);
  for (const std::string_view word : {"\\left", "\\right", "\\displaystyle", "\\!", "\\,", "\\;", "\\:", "$"})
    plain = replace_all(std::move(plain), word, " ");
  return plain;
}

}  // namespace

bool same_value(std::string_view a, std::string_view b) {
  if (a.size() > kMostBytes || b.size() > kMostBytes) return false;
  const auto left = read(without_layout(a), 0), right = read(without_layout(b), 0);
  return left && right && same(*left, *right);
}

}  // namespace micius
