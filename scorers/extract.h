// Reading answers out of what a model wrote. All readers live here, so that every scorer reads alike. Model
// output is hostile: every function is linear in the text, bounded in memory and never throws for what a text
// holds.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "core/thinking.h"

namespace micius {

// A completion as lm-eval hands it to filters: thinking cut off up to the last `</think>`, with the blanks
// behind it, then cut before each stop string in the order of the list. "" where a `<think>` is left open.
std::string_view answer_text(std::string_view text, const std::vector<std::string>& stop);

// The text without the lines that open or close a fence: three or more backticks or tildes and an optional
// word. What is inside a fence stays.
std::string without_fences(std::string_view text);

// Calls fn(word, body) for each fenced block, in order: from a line of three or more backticks or tildes and
// an optional word to a line of at least as many of the same mark and nothing else, or to the text's end. A
// fence inside a block is part of it. `word` is as written, `body` without the fences.
void for_each_fenced_block(std::string_view text,
                           const std::function<void(std::string_view word, std::string_view body)>& fn);

struct PythonCode {
  std::string_view text;
  bool fenced;  // false: the whole text, which is code only if it compiles
};

// The program of an answer: the last block tagged python, py or python3 that has `print` or `plan` in it;
// else the last such block; else the last block without a tag that has `def `, `for ` or `print(`; else the
// whole text if it has `print(`. "```python\nx = 1\n```" -> "x = 1\n"; "Use print() for that." -> the whole
// text, not fenced.
std::optional<PythonCode> python_code(std::string_view text);

// The outermost balanced `{...}` of a text, in order. Braces inside strings do not count; an opening brace
// that is never closed is passed over. At most `limit` of them, none nested deeper than 64.
std::vector<std::string_view> balanced_objects(std::string_view text, std::size_t limit = 100);

// One object as strict JSON, else with these repairs, in one pass: Python literals ('x', None, True, False),
// trailing commas, curly quotes, unquoted keys. Absent if it is still not JSON, or has more than 10,000
// colons.
std::optional<Json> read_json_object(std::string_view object);

// The first object of the text that can be read and that `accept` takes.
std::optional<Json> first_object(std::string_view text, const std::function<bool(const Json&)>& accept);

// What an answer asks for (Infrawise): design, criterion, workload. "" is no baseline, "default" says
// nothing.
struct Dcw {
  std::string target, baseline, criterion, workload;
  bool operator==(const Dcw&) const = default;
};

// The first object with a design. Keys are case-blind; {"Target": .., "Baseline": ..} without "Design" and a
// string as "Design" (the target) are taken; a missing criterion or workload is "default"; a missing
// baseline, null, "none" and "n/a" are "". Texts are as the model wrote them.
std::optional<Dcw> read_dcw(std::string_view text);

// The shell command of an answer; absent if there is none. In this order:
//   1. the whole text is an object with a string "command" or "cmd"
//   2. the first fence whose word is none or bash, sh, shell, console, zsh, text, cmd
//   3. the first code span that starts a command
//   4. the first line that starts one, without "$ ", "> ", "- ", "1. ", "Command:", "Answer:" before it
//   5. the whole text, if it is one line of at most 300 characters and no sentence: one that begins with a
//      capital or ends in a sentence mark behind a letter ("I cannot run commands.") is one
// A command starts with a known program, `sudo`, `./`, `NAME=value` or a path to a known program. In a fence
// with lines that begin with "$ " only those are commands; comments and blank lines are dropped, a line's end
// behind a backslash is joined, a heredoc keeps its lines. Nothing else is repaired. `known` says whether a
// word is the name of a program. Answers of more than 1 MiB are cut there.
std::optional<std::string> read_command(std::string_view text,
                                        const std::function<bool(std::string_view)>& known);

// The KQL query of an answer; absent if there is none. Nothing is repaired. In this order:
//   1. the first fence whose word is none or kql, kusto, csl, sql, text
//   2. without such a fence, the rest behind "KQL:", "Query:" or "Answer:", if the whole of it parses
//   3. from the first line that begins a query to the last line from there on that begins with `|`, lies
//      inside brackets or ends in `;`. A query begins with cluster(, database(, let, union, print, search,
//      find, range, datatable or a table that no word follows ("Tickets are late." is prose, and so is
//      "let me explain": a let has `=` behind its name); so does what is no KQL but was meant as a query: a
//      `.` command, and SELECT (up to the next blank line). A line of a schema, T(A:datetime), begins none.
std::optional<std::string> read_query(std::string_view text,
                                      const std::function<bool(std::string_view)>& parses,
                                      const std::function<bool(std::string_view)>& is_table);

// The letter of a choice, as its index, out of an answer about `choices` (at most 26) of them; absent if
// there is none. A letter counts if it stands alone: "H100", "A-B" and "don't" have none. In this order:
//   1. all that the text has besides blanks and marks, capital or not: "b", "(B).", "**B**", "\\boxed{B}"
//   2. a capital behind "answer", with words such as "is", "the correct option" between: the last one
//   3. a capital with which the text begins and that a mark or the line's end follows: "B. Water", "B) .."
//   4. the only capital there is; "A" and "I" in front of a word are words
std::optional<std::size_t> read_letter(std::string_view text, std::size_t choices);

// The index numbers of an answer, or the empty set for "none"; absent if there is neither.
//   "3, 7" "[7,3]" "Index 3 and index 7." {"index": 3}   -> {3, 7} and so on; repeats are dropped
//   "1-3"                                                -> {1, 2, 3}
//   "None of the records" "[]" "no record fits" "null"   -> {}, if the text has no digit at all
//   "zero"                                               -> {0}; number words count only without digits
// A number that is part of a longer number or word is none: "H100", "3.5", "-1".
std::optional<std::set<std::int64_t>> read_indices(std::string_view text);

}  // namespace micius
