#include "scorers/extract.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/files.h"
#include "base/text.h"

namespace micius {
namespace {

constexpr std::size_t kMaxNesting = 64;
constexpr std::size_t kMaxNumbers = 20000;  // an answer that names more of them is wrong anyway
constexpr std::int64_t kMaxRange = 100;
constexpr std::size_t kMaxDigits = 18;
constexpr std::ptrdiff_t kMaxColons = 10000;  // an object finds a key in time by how many it has

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

struct Fence {
  char mark = '`';
  std::size_t marks = 0;
  std::string_view word;
};

std::optional<Fence> fence_in(std::string_view line) {
  line = strip(line);
  if (line.empty() || (line[0] != '`' && line[0] != '~')) return std::nullopt;
  const std::size_t marks = std::min(line.find_first_not_of(line[0]), line.size());
  const std::string_view rest = strip(line.substr(marks));
  if (marks < 3 || rest.find_first_of(" \t`") != std::string_view::npos) return std::nullopt;
  return Fence{line[0], marks, rest};
}

bool is_fence(std::string_view line) { return fence_in(line).has_value(); }

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

// How many bytes of an opening quote are at `at`: ", ', or a curly one; 0 if there is none.
std::size_t quote_size(std::string_view text, std::size_t at) {
  if (text[at] == '"' || text[at] == '\'') return 1;
  if (text[at] != '\xe2') return 0;
  const std::string_view three = text.substr(at, 3);
  for (const std::string_view curly : {"\u201c", "\u201d", "\u2018", "\u2019"}) {
    if (three == curly) return 3;
  }
  return 0;
}

bool is_double(std::string_view quote) { return quote == "\"" || quote == "\u201c" || quote == "\u201d"; }

// A string begins at `at` with a quote of `size` bytes: the offset of its closing quote, or npos. A string
// never goes over a line end. A single quote closes only before , : } ] or the end, so that "it's" holds.
std::size_t closing_quote(std::string_view text, std::size_t at, std::size_t size) {
  const bool wanted_double = is_double(text.substr(at, size));
  for (std::size_t i = at + size; i < text.size() && text[i] != '\n'; ++i) {
    if (text[i] == '\\') {
      ++i;
      continue;
    }
    const std::size_t found = quote_size(text, i);
    if (found == 0 || is_double(text.substr(i, found)) != wanted_double) continue;
    if (size == 1 && found != 1) continue;
    if (wanted_double) return i;
    std::size_t next = i + found;
    while (next < text.size() && (text[next] == ' ' || text[next] == '\t')) ++next;
    if (next >= text.size() || std::string_view(",:}]\r\n").find(text[next]) != std::string_view::npos)
      return i;
  }
  return std::string_view::npos;
}

// Does a string begin here, judged by the last character that is not a blank?
bool opens_string(std::string_view text, std::size_t at, char before) {
  const std::size_t size = quote_size(text, at);
  return size != 0 && (text[at] == '"' || before == '{' || before == '[' || before == ',' || before == ':');
}

// Rewrites one object as strict JSON, as far as the repairs go.
class Repair {
 public:
  explicit Repair(std::string_view text) : text_(text) {}

  std::optional<std::string> run() {
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (is_blank(c)) {
        ++at_;
      } else if (quote_size(text_, at_) != 0) {
        if (!string()) return std::nullopt;
      } else if (std::isalpha(static_cast<unsigned char>(c)) != 0 || c == '_') {
        word();
      } else {
        mark(c);
      }
    }
    return std::move(out_);
  }

 private:
  void put(std::string_view token) {
    if (comma_) out_ += ',';
    comma_ = false;
    out_ += token;
  }

  bool string() {
    const std::size_t size = quote_size(text_, at_);
    const std::size_t end = closing_quote(text_, at_, size);
    if (end == std::string_view::npos) return false;
    const std::string_view raw = text_.substr(at_ + size, end - at_ - size);
    std::string body = "\"";
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] == '\\' && i + 1 < raw.size() && raw[i + 1] == '\'') continue;
      if (raw[i] == '"' && (i == 0 || raw[i - 1] != '\\')) body += '\\';
      body += raw[i];
    }
    put(body + '"');
    at_ = end + quote_size(text_, end);
    return true;
  }

  void word() {
    std::size_t end = at_;
    while (end < text_.size() && (is_word(text_[end]) || text_[end] == '-')) ++end;
    const std::string_view word = text_.substr(at_, end - at_);
    std::size_t next = end;
    while (next < text_.size() && is_blank(text_[next])) ++next;
    if (next < text_.size() && text_[next] == ':') {
      put("\"" + std::string(word) + "\"");
    } else if (word == "None") {
      put("null");
    } else if (word == "True" || word == "False") {
      put(lower_ascii(word));
    } else {
      put(word);
    }
    at_ = end;
  }

  void mark(char c) {
    ++at_;
    if (c == ',') {
      if (comma_) out_ += ',';  // two in a row stay wrong
      comma_ = true;
      return;
    }
    if (c == '}' || c == ']') comma_ = false;
    put(std::string_view(&c, 1));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
  bool comma_ = false;  // one that is not written yet
};

std::optional<Json> parse_object(std::string_view text) {
  if (std::count(text.begin(), text.end(), ':') > kMaxColons) return std::nullopt;
  Json value = Json::parse(text, nullptr, false);
  if (!value.is_object()) return std::nullopt;
  return value;
}

// A run of digits that stands alone.
struct Number {
  std::int64_t value;
  std::size_t begin, end;
};

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  if (begin > 0) {
    const char before = text[begin - 1];
    const bool after_digit = begin > 1 && is_digit(text[begin - 2]);
    if (is_word(before) || (before == '.' && after_digit) || (before == '-' && !after_digit)) return false;
  }
  if (end < text.size()) {
    if (is_word(text[end])) return false;
    if (text[end] == '.' && end + 1 < text.size() && is_digit(text[end + 1])) return false;
  }
  return true;
}

std::vector<Number> numbers_of(std::string_view text) {
  std::vector<Number> numbers;
  for (std::size_t i = 0; i < text.size() && numbers.size() < kMaxNumbers;) {
    if (!is_digit(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    std::int64_t value = 0;
    for (; end < text.size() && is_digit(text[end]); ++end) {
      if (end - i < kMaxDigits) value = value * 10 + (text[end] - '0');
    }
    if (stands_alone(text, i, end)) numbers.push_back({value, i, end});
    i = end;
  }
  return numbers;
}

// Is all that stands between two numbers a dash, with or without blanks?
bool is_range(std::string_view between) {
  while (!between.empty() && between.front() == ' ') between.remove_prefix(1);
  while (!between.empty() && between.back() == ' ') between.remove_suffix(1);
  return between == "-" || between == "\u2013";
}

std::set<std::int64_t> with_ranges(std::string_view text, const std::vector<Number>& numbers) {
  std::set<std::int64_t> indices;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    indices.insert(numbers[i].value);
    if (i + 1 == numbers.size()) break;
    const std::int64_t low = numbers[i].value, high = numbers[i + 1].value;
    const std::string_view between = text.substr(numbers[i].end, numbers[i + 1].begin - numbers[i].end);
    if (!is_range(between) || high < low || high - low > kMaxRange) continue;
    for (std::int64_t value = low; value <= high; ++value) indices.insert(value);
  }
  return indices;
}

void add_indices(const Json& value, std::set<std::int64_t>& indices) {
  if (value.is_number_integer()) {
    indices.insert(value.get<std::int64_t>());
  } else if (value.is_array()) {
    for (const Json& item : value) {
      if (item.is_number_integer()) indices.insert(item.get<std::int64_t>());
    }
  }
}

// The `index` keys of the objects in the text; absent if no object has one.
std::optional<std::set<std::int64_t>> object_indices(std::string_view text) {
  std::optional<std::set<std::int64_t>> indices;
  for (const std::string_view object : balanced_objects(text)) {
    const std::optional<Json> json = read_json_object(object);
    if (!json) continue;
    for (const auto& item : json->items()) {
      const std::string key = lower_ascii(item.key());
      if (key != "index" && key != "indices") continue;
      if (!indices) indices.emplace();
      add_indices(item.value(), *indices);
    }
  }
  return indices;
}

bool says_none(const std::vector<std::string_view>& words, std::string_view text) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "none" || words[i] == "null") return true;
    const auto is_record = [&](std::size_t at) {
      return at < words.size() && (words[at] == "record" || words[at] == "records");
    };
    if (words[i] == "no" && (is_record(i + 1) || is_record(i + 2))) return true;
  }
  std::string bare;
  std::copy_if(text.begin(), text.end(), std::back_inserter(bare), [](char c) { return !is_blank(c); });
  return bare == "[]" || bare == "{}" || bare == "[].";
}

std::vector<std::string_view> letters_only(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end > i) words.push_back(text.substr(i, end - i));
    i = std::max(end, i + 1);
  }
  return words;
}

// The field of an object whatever the case of its key; null if it is not there.
const Json* field(const Json& object, std::string_view name) {
  for (const auto& item : object.items()) {
    if (lower_ascii(strip(item.key())) == name) return &item.value();
  }
  return nullptr;
}

// A field as text: numbers and lists of one are taken as they are meant, everything else is "".
std::string text_of(const Json* value) {
  if (value == nullptr) return "";
  if (value->is_array() && value->size() == 1) value = &value->front();
  if (value->is_string()) return std::string(strip(value->get_ref<const std::string&>()));
  if (value->is_number()) return value->dump();
  return "";
}

std::string or_default(std::string text) { return text.empty() ? "default" : std::move(text); }

std::string baseline_of(std::string text) {
  const std::string lower = lower_ascii(text);
  const bool nothing = lower == "none" || lower == "n/a" || lower == "null";
  return nothing ? "" : std::move(text);
}

}  // namespace

std::string_view answer_text(std::string_view text, const std::vector<std::string>& stop) {
  const std::size_t whole = text.size();
  text = after_thinking(text).value_or("");
  if (text.size() < whole) {
    while (!text.empty()) {
      std::size_t next = 0;
      if (!is_unicode_space(next_code_point(text, next))) break;
      text.remove_prefix(next);
    }
  }
  for (const std::string& end : stop) {
    if (!end.empty()) text = text.substr(0, text.find(end));
  }
  return text;
}

std::string without_fences(std::string_view text) {
  std::string kept;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    if (is_fence(line)) return;
    kept += line;
    kept += '\n';
  });
  return kept;
}

std::vector<std::string_view> balanced_objects(std::string_view text, std::size_t limit) {
  struct Open {
    std::size_t at, deepest;  // how deep what it holds is nested
  };
  struct Object {
    std::size_t begin, end;
  };
  std::vector<Open> open;
  std::vector<Object> found;  // outermost so far, in order
  char before = ' ';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '{') {
      open.push_back({i, 1});
    } else if (c == '}' && !open.empty()) {
      const Open closed = open.back();
      open.pop_back();
      if (!open.empty()) open.back().deepest = std::max(open.back().deepest, closed.deepest + 1);
      while (!found.empty() && found.back().begin > closed.at) found.pop_back();
      if (closed.deepest <= kMaxNesting) found.push_back({closed.at, i + 1});
      if (open.empty() && found.size() >= limit) break;
    } else if (!open.empty() && opens_string(text, i, before)) {
      const std::size_t size = quote_size(text, i);
      const std::size_t end = closing_quote(text, i, size);
      // A string that never ends takes the rest of its line.
      i = (end == std::string_view::npos ? std::min(text.find('\n', i), text.size())
                                         : end + quote_size(text, end)) -
          1;
    }
    if (i < text.size() && !is_blank(text[i])) before = text[i];
  }
  std::vector<std::string_view> objects;
  for (const Object& object : found) {
    if (objects.size() == limit) break;
    objects.push_back(text.substr(object.begin, object.end - object.begin));
  }
  return objects;
}

std::optional<Json> read_json_object(std::string_view object) {
  if (std::optional<Json> strict = parse_object(object)) return strict;
  const std::optional<std::string> repaired = Repair(object).run();
  return repaired ? parse_object(*repaired) : std::nullopt;
}

std::optional<Json> first_object(std::string_view text, const std::function<bool(const Json&)>& accept) {
  for (const std::string_view object : balanced_objects(text)) {
    std::optional<Json> json = read_json_object(object);
    if (json && accept(*json)) return json;
  }
  return std::nullopt;
}

std::optional<Dcw> read_dcw(std::string_view text) {
  const auto is_dcw = [](const Json& json) {
    return field(json, "design") != nullptr || field(json, "target") != nullptr;
  };
  const std::optional<Json> json = first_object(text, is_dcw);
  if (!json) return std::nullopt;
  const Json* design = field(*json, "design");
  const Json& names = design != nullptr && design->is_object() ? *design : *json;
  const Json* target = field(names, "target");
  return Dcw{.target = text_of(target == nullptr ? design : target),
             .baseline = baseline_of(text_of(field(names, "baseline"))),
             .criterion = or_default(text_of(field(*json, "criterion"))),
             .workload = or_default(text_of(field(*json, "workload")))};
}

std::optional<std::set<std::int64_t>> read_indices(std::string_view text) {
  static constexpr std::array<std::string_view, 13> kWords = {"zero", "one",    "two",   "three", "four",
                                                              "five", "six",    "seven", "eight", "nine",
                                                              "ten",  "eleven", "twelve"};
  if (auto indices = object_indices(text)) return indices;
  const std::string lower = lower_ascii(without_fences(text));
  if (std::any_of(lower.begin(), lower.end(), is_digit)) {
    const std::vector<Number> numbers = numbers_of(lower);
    if (numbers.empty()) return std::nullopt;
    return with_ranges(lower, numbers);
  }
  const std::vector<std::string_view> words = letters_only(lower);
  if (says_none(words, lower)) return std::set<std::int64_t>{};
  std::set<std::int64_t> indices;
  for (const std::string_view word : words) {
    const auto it = std::find(kWords.begin(), kWords.end(), word);
    if (it != kWords.end()) indices.insert(it - kWords.begin());
  }
  if (indices.empty()) return std::nullopt;
  return indices;
}

void for_each_fenced_block(std::string_view text,
                           const std::function<void(std::string_view word, std::string_view body)>& fn) {
  std::optional<Fence> open;
  std::size_t begin = 0;  // of the body
  std::size_t at = 0;
  while (at < text.size()) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::size_t next = std::min(end + 1, text.size());
    const std::optional<Fence> fence = fence_in(text.substr(at, end - at));
    if (fence && !open) {
      open = fence;
      begin = next;
    } else if (fence && open && fence->mark == open->mark && fence->marks >= open->marks &&
               fence->word.empty()) {
      fn(open->word, text.substr(begin, at - begin));
      open.reset();
    }
    at = next;
  }
  if (open) fn(open->word, text.substr(begin));
}

std::optional<PythonCode> python_code(std::string_view text) {
  std::optional<std::string_view> plan, tagged, untagged;
  for_each_fenced_block(text, [&](std::string_view word, std::string_view body) {
    const std::string tag = lower_ascii(word);
    if (tag == "python" || tag == "py" || tag == "python3") {
      tagged = body;
      if (has(body, "print") || has(body, "plan")) plan = body;
    } else if (tag.empty() && (has(body, "def ") || has(body, "for ") || has(body, "print("))) {
      untagged = body;
    }
  });
  for (const auto& block : {plan, tagged, untagged}) {
    if (block) return PythonCode{*block, true};
  }
  if (has(text, "print(")) return PythonCode{text, false};
  return std::nullopt;
}

}  // namespace micius
