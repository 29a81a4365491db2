#include "scorers/filters.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

const std::vector<std::string> kFunctions = {"regex",      "multi_choice_regex", "map_regex",
                                             "map",        "lowercase",          "uppercase",
                                             "take_first", "remove_whitespace"};
constexpr std::size_t kMostLetters = 26;

// Of the findall list the element `select`, as lm-eval takes it; absent where there is none. Of the elements
// only the wanted one is kept.
class Select {
 public:
  explicit Select(const JsonFields& fields) : select_(fields.integer_or("group_select", 0)) {
    if (select_ < -1 || select_ > 1000)
      fail(ErrorCode::kUsage, "{}: field 'group_select' must be from -1 to 1000, found {}", fields.where(),
           select_);
  }

  std::optional<std::string> from(const Pattern& pattern, std::string_view text) const {
    std::optional<std::string> selected;
    std::int64_t index = 0;
    const bool whole = pattern.for_each(text, [&](const PatternMatch& match) {
      if (select_ < 0 || index == select_) selected = element(match);
      return index++ != select_;
    });
    return whole ? selected : std::nullopt;
  }

 private:
  static std::string element(const PatternMatch& match) {
    if (match.groups.size() == 1) return std::string(match.groups[0]);
    for (std::size_t i = 1; i < match.groups.size(); ++i) {
      if (!match.groups[i].empty()) return std::string(match.groups[i]);
    }
    return "";
  }

  std::int64_t select_;
};

void set(Reading& reading, std::optional<std::string> found, const std::string& fallback) {
  reading.found = reading.found && found.has_value();
  reading.answer = found ? std::string(strip(*found)) : fallback;
}

FilterStep read_step(const JsonFields& fields);

FilterStep regex_step(const JsonFields& fields) {
  fields.only({"function", "regex_pattern", "group_select", "fallback", "else"});
  const auto pattern = std::make_shared<Pattern>(fields.string("regex_pattern"), fields.where());
  const FilterStep other = fields.has("else") ? read_step(fields.object("else")) : FilterStep();
  return [pattern, other, select = Select(fields), fallback = fields.string_or("fallback", "[invalid]")](
             Reading& reading, const Sample& sample) {
    std::optional<std::string> found = select.from(*pattern, reading.answer);
    // Of several groups none took part; one group may well be empty.
    if (found && found->empty() && pattern->groups() > 1) found.reset();
    if (!found && other) return other(reading, sample);
    set(reading, std::move(found), fallback);
  };
}

// The choices of a sample as lm-eval's multi_choice_regex sees them.
class ChoiceSearch {
 public:
  explicit ChoiceSearch(const JsonFields& fields)
      : select_(fields),
        pattern_(fields.string("regex_pattern"), fields.where()),
        ignored_(read_patterns(fields, "regexes_to_ignore")),
        ignore_case_(fields.boolean_or("ignore_case", false)),
        ignore_punctuation_(fields.boolean_or("ignore_punctuation", false)) {}

  std::optional<std::string> find(std::string_view text, const Sample& sample) const {
    if (auto found = stripped(select_.from(pattern_, text))) return found;
    std::string any, letters;
    std::vector<std::string> forms;
    for (const std::string& choice : sample.choices) {
      if (forms.size() == kMostLetters) break;
      any += (forms.empty() ? "" : "|") + escape_pattern(in_form(strip(choice)));
      letters += (forms.empty() ? "" : "|") + std::string(1, letter(forms.size()));
      forms.push_back(in_form(strip(choice)));
    }
    if (forms.empty()) return std::nullopt;
    if (auto found = stripped(select_.from(Pattern(any, "choices"), in_form(text)))) {
      // Of equal choices the last one counts, as in a dictionary.
      const auto it = std::find(forms.rbegin(), forms.rend(), *found);
      return it == forms.rend() ? found : "(" + std::string(1, letter(forms.rend() - it - 1)) + ")";
    }
    if (auto found = stripped(select_.from(Pattern(":[\\s]*(" + letters + ")", "choices"), text)))
      return "(" + *found + ")";
    return std::nullopt;
  }

 private:
  static char letter(std::size_t index) { return static_cast<char>('A' + index); }
  static std::optional<std::string> stripped(std::optional<std::string> found) {
    const std::string text(strip(found.value_or("")));
    return text.empty() ? std::nullopt : std::optional(text);
  }

  std::string in_form(std::string_view text) const {
    std::string form(text);
    for (const Pattern& pattern : ignored_) form = pattern.replace_all(form, "");
    if (ignore_case_) form = lower_unicode(form);
    return ignore_punctuation_ ? punctuation_.replace_all(form, "") : form;
  }

  Select select_;
  Pattern pattern_;
  std::vector<Pattern> ignored_;
  const Pattern punctuation_{"\\p{P}", "punctuation"};
  bool ignore_case_, ignore_punctuation_;
};

FilterStep multi_choice_step(const JsonFields& fields) {
  fields.only({"function", "regex_pattern", "group_select", "fallback", "ignore_case", "ignore_punctuation",
               "regexes_to_ignore"});
  const auto search = std::make_shared<ChoiceSearch>(fields);
  return
      [search, fallback = fields.string_or("fallback", "[invalid]")](Reading& reading, const Sample& sample) {
        set(reading, search->find(reading.answer, sample), fallback);
      };
}

FilterStep map_regex_step(const JsonFields& fields) {
  fields.only({"function", "regex_to_value", "group_select", "fallback"});
  struct Mapping {
    std::optional<Pattern> any;
    std::vector<std::pair<Pattern, std::string>> values;
  };
  const auto mapping = std::make_shared<Mapping>();
  std::string any;
  for (const Json& pair : fields.at("regex_to_value")) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string())
      fail(ErrorCode::kUsage, "{}: field 'regex_to_value' must be a list of [pattern, value]",
           fields.where());
    const auto pattern = pair[0].get<std::string>();
    any += (any.empty() ? "" : "|") + pattern;
    mapping->values.emplace_back(Pattern(pattern, fields.where()), pair[1].get<std::string>());
  }
  mapping->any.emplace(any, fields.where());
  return [mapping, select = Select(fields), fallback = fields.string_or("fallback", "[invalid]")](
             Reading& reading, const Sample&) {
    const std::optional<std::string> found = select.from(*mapping->any, reading.answer);
    std::optional<std::string> value;
    for (const auto& [pattern, mapped] : mapping->values) {
      if (!found || value) break;
      pattern.for_each(*found, [&, &mapped = mapped](const PatternMatch&) {
        value = mapped;
        return false;
      });
    }
    set(reading, std::move(value), fallback);
  };
}

FilterStep map_step(const JsonFields& fields) {
  fields.only({"function", "mapping_dict", "default_value"});
  const JsonFields mapping = fields.object("mapping_dict");
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& item : fields.at("mapping_dict").items())
    pairs.emplace_back(item.key(), mapping.string(item.key()));
  return [pairs = std::move(pairs), fallback = fields.string_or("default_value", "")](Reading& reading,
                                                                                      const Sample&) {
    const auto it = std::find_if(pairs.begin(), pairs.end(),
                                 [&](const auto& pair) { return pair.first == reading.answer; });
    reading.found = reading.found && it != pairs.end();
    reading.answer = it == pairs.end() ? fallback : it->second;
  };
}

FilterStep read_step(const JsonFields& fields) {
  const std::string function = fields.string("function");
  if (function == "regex") return regex_step(fields);
  if (function == "multi_choice_regex") return multi_choice_step(fields);
  if (function == "map_regex") return map_regex_step(fields);
  if (function == "map") return map_step(fields);
  if (std::find(kFunctions.begin(), kFunctions.end(), function) == kFunctions.end())
    fail(ErrorCode::kUsage, "{}: unknown function '{}'{}; there are {}", fields.where(), function,
         did_you_mean(function, kFunctions), join(kFunctions, ", "));
  fields.only({"function"});
  if (function == "take_first") return [](Reading&, const Sample&) {};
  return [function](Reading& reading, const Sample&) {
    const std::string& text = reading.answer;
    reading.answer = function == "lowercase"   ? lower_unicode(text)
                     : function == "uppercase" ? upper_unicode(text)
                                               : std::string(strip(text));
  };
}

}  // namespace

Reading Filter::read(std::string_view text, const Sample& sample) const {
  Reading reading{std::string(text), true};
  for (const FilterStep& step : steps) step(reading, sample);
  return reading;
}

std::vector<Filter> read_filters(const JsonFields& fields, const std::string& key) {
  if (!fields.has(key)) return {{"none", {}}};
  std::vector<Filter> filters;
  for (const Json& json : fields.at(key)) {
    const std::string where = fmt::format("{}: {}[{}]", fields.where(), key, filters.size());
    const JsonFields named(json, where);
    named.only({"name", "filter"});
    Filter filter{named.string("name"), {}};
    if (std::any_of(filters.begin(), filters.end(), [&](const Filter& f) { return f.name == filter.name; }))
      fail(ErrorCode::kUsage, "{}: two filters are called '{}'", fields.where(), filter.name);
    for (const Json& step : named.at("filter"))
      filter.steps.push_back(
          read_step(JsonFields(step, fmt::format("{}, filter '{}', step {}", fields.where(), filter.name,
                                                 filter.steps.size() + 1))));
    filters.push_back(std::move(filter));
  }
  if (filters.empty()) fail(ErrorCode::kUsage, "{}: field '{}' is empty", fields.where(), key);
  return filters;
}

std::vector<Pattern> read_patterns(const JsonFields& fields, const std::string& key) {
  std::vector<Pattern> patterns;
  for (const std::string& pattern : fields.strings_or(key, {}))
    patterns.emplace_back(pattern, fmt::format("{}: field '{}'", fields.where(), key));
  return patterns;
}

bool is_ascii_punctuation(char c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

}  // namespace micius
