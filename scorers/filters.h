// Named ways to read an answer out of one completion, declared as data in lm-eval's words.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/sample.h"
#include "scorers/pattern.h"

namespace micius {

struct Reading {
  std::string answer;
  bool found = true;  // false: a step found nothing, and the answer is its fallback
};

using FilterStep = std::function<void(Reading& reading, const Sample& sample)>;

//   {"name": "flexible-extract",
//    "filter": [{"function": "regex", "group_select": -1, "regex_pattern": "(-?[$0-9.,]{2,})|(-?[0-9]+)"},
//               {"function": "take_first"}]}
//
// Steps, applied in order:
//   regex               re.findall(regex_pattern), of that [group_select] (0; -1: the last); of several
//                       groups the first one that is not empty; stripped. Where nothing matches, the step
//                       `else`, if there is one, reads the same text; without it the answer is `fallback`
//                       ("[invalid]")
//   multi_choice_regex  the same, else a choice of the sample by its text as "(A)", else a bare letter behind
//                       ':' as "(A)"; ignore_case, ignore_punctuation (Unicode) and regexes_to_ignore are for
//                       the search by text
//   map_regex           the matches of any pattern of `regex_to_value`, a list of [pattern, value]; of that
//                       [group_select]; the value of the first pattern that matches in it, else fallback
//   map                 mapping_dict[text], else default_value ("")
//   remove_whitespace   at both ends
//   lowercase, uppercase
//   take_first          nothing: a record holds one completion
struct Filter {
  std::string name;
  std::vector<FilterStep> steps;

  Reading read(std::string_view text, const Sample& sample) const;
};

// Reads the list `key` of `fields`; one filter "none" without steps where it is not there. Throws
// Error{kUsage} naming filter and field.
std::vector<Filter> read_filters(const JsonFields& fields, const std::string& key);

// The list `key` of patterns; empty where it is not there.
std::vector<Pattern> read_patterns(const JsonFields& fields, const std::string& key);

// ASCII punctuation, Python's string.punctuation.
bool is_ascii_punctuation(char c);

}  // namespace micius
