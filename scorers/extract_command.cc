// Reading a shell command out of an answer.
#include <algorithm>
#include <array>
#include <cctype>
#include <map>

#include "base/files.h"
#include "base/text.h"
#include "base/variable.h"
#include "scorers/extract.h"

namespace micius {
namespace {

constexpr std::size_t kMaxText = 1 << 20;
constexpr std::size_t kMaxSentence = 300;  // code points of a line that is taken as it is

using Known = std::function<bool(std::string_view)>;

bool is_upper(char c) { return c >= 'A' && c <= 'Z'; }
bool is_letter(char c) { return is_upper(c) || (c >= 'a' && c <= 'z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

std::string_view without_prefix(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix ? text.substr(prefix.size()) : text;
}

std::string_view first_word(std::string_view text) {
  text = strip(text);
  return text.substr(0, std::min(text.find_first_of(" \t\n"), text.size()));
}

bool is_assignment(std::string_view word) {
  const auto variable = read_variable(word);
  return variable && is_variable_name(variable->name);
}

bool starts_command(std::string_view text, const Known& known) {
  std::string_view word = first_word(text);
  word = word.substr(0, word.find_first_of(";|&>"));
  if (word.empty()) return false;
  if (word == "sudo" || word.substr(0, 2) == "./" || is_assignment(word)) return true;
  const std::size_t slash = word.rfind('/');
  return known(slash == std::string_view::npos ? word : word.substr(slash + 1));
}

// One line of a text that may open or close a fence.
struct Mark {
  char mark = 0;  // '`' or '~'; 0: no fence
  std::size_t size = 0;
  std::string_view word;
};

Mark mark_of(std::string_view line) {
  line = strip(line);
  if (line.empty() || (line[0] != '`' && line[0] != '~')) return {};
  const std::size_t size = std::min(line.find_first_not_of(line[0]), line.size());
  const std::string_view word = strip(line.substr(size));
  if (size < 3 || word.find_first_of(" \t`") != std::string_view::npos) return {};
  return {line[0], size, word};
}

std::string_view without_cr(std::string_view line) {
  return !line.empty() && line.back() == '\r' ? line.substr(0, line.size() - 1) : line;
}

// The lines of the first fence that may hold a command.
std::optional<std::vector<std::string_view>> command_fence(std::string_view text) {
  static constexpr std::array<std::string_view, 8> kWords = {"",        "bash", "sh",   "shell",
                                                             "console", "zsh",  "text", "cmd"};
  std::optional<std::vector<std::string_view>> lines;
  Mark open;
  bool done = false;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    if (done) return;
    line = without_cr(line);
    const Mark mark = mark_of(line);
    if (open.mark == 0) {
      if (mark.mark == 0) return;
      open = mark;
      const std::string word = lower_ascii(mark.word);
      if (std::find(kWords.begin(), kWords.end(), word) != kWords.end()) lines.emplace();
    } else if (mark.mark == open.mark && mark.size >= open.size && mark.word.empty()) {
      open = {};
      done = lines.has_value();
    } else if (lines) {
      lines->push_back(line);
    }
  });
  return lines;
}

// The word that ends the heredoc which `line` opens, or "".
std::string heredoc_end(std::string_view line) {
  const std::size_t at = line.find("<<");
  if (at == std::string_view::npos || line.substr(at, 3) == "<<<") return "";
  std::string_view word = line.substr(at + 2);
  if (!word.empty() && word[0] == '-') word.remove_prefix(1);
  word = first_word(word);
  std::string end;
  std::copy_if(word.begin(), word.end(), std::back_inserter(end),
               [](char c) { return c != '\'' && c != '"' && c != '\\'; });
  return end;
}

// The commands of a fence's lines, without prompts, output, comments and blank lines.
std::string script_of(const std::vector<std::string_view>& lines, const Known& known) {
  const auto prompted = [](std::string_view line) { return strip(line).substr(0, 2) == "$ "; };
  const bool only_prompted = std::any_of(lines.begin(), lines.end(), prompted);
  std::string script, end;
  bool joined = false;  // the line before goes on
  for (std::string_view line : lines) {
    if (!end.empty()) {
      script += std::string(line) + "\n";
      if (strip(line) == end) end.clear();
      continue;
    }
    if (!joined) {
      if (only_prompted && !prompted(line)) continue;
      line = strip(line);
      if (only_prompted) line = strip(without_prefix(line, "$ "));
      const std::string_view root = without_prefix(line, "# ");
      if (root.size() != line.size() && known(first_word(root))) line = root;
      if (line.empty() || line[0] == '#') continue;
    } else {
      line = strip_right(line);
    }
    joined = !line.empty() && line.back() == '\\';
    if (joined) line.remove_suffix(1);
    script += line;
    if (!joined) script += '\n';
    end = heredoc_end(line);
  }
  return std::string(strip(script));
}

// Code spans of one line, in order: what stands between two runs of equally many backticks.
std::vector<std::string_view> code_spans(std::string_view line) {
  struct Run {
    std::size_t at, size;
  };
  std::vector<Run> runs;
  for (std::size_t i = 0; i < line.size();) {
    if (line[i] != '`') {
      ++i;
      continue;
    }
    const std::size_t end = std::min(line.find_first_not_of('`', i), line.size());
    runs.push_back({i, end - i});
    i = end;
  }
  std::map<std::size_t, std::size_t> last;  // size of a run -> the next run of that size
  std::vector<std::size_t> partner(runs.size(), runs.size());
  for (std::size_t i = runs.size(); i-- > 0;) {
    if (const auto it = last.find(runs[i].size); it != last.end()) partner[i] = it->second;
    last[runs[i].size] = i;
  }
  std::vector<std::string_view> spans;
  for (std::size_t i = 0; i < runs.size();) {
    if (partner[i] == runs.size()) {
      ++i;
      continue;
    }
    const std::size_t from = runs[i].at + runs[i].size;
    spans.push_back(strip(line.substr(from, runs[partner[i]].at - from)));
    i = partner[i] + 1;
  }
  return spans;
}

std::string_view without_marks(std::string_view line) {
  for (bool cut = true; cut;) {
    line = strip(line);
    const std::size_t before = line.size();
    for (const std::string_view prefix : {"$ ", "> ", "- ", "Command:", "Answer:"})
      line = without_prefix(line, prefix);
    std::size_t digits = 0;
    while (digits < line.size() && digits < 3 && is_digit(line[digits])) ++digits;
    if (digits > 0 && line.substr(digits, 2) == ". ") line.remove_prefix(digits + 2);
    cut = line.size() != before;
  }
  return line;
}

bool is_sentence(std::string_view text) {
  const std::string_view word = first_word(text);
  if (word.size() > 1 && is_upper(word[0]) && !is_assignment(word)) return true;
  if (word == "I") return true;
  return text.size() > 1 && std::string_view(".!?:").find(text.back()) != std::string_view::npos &&
         is_letter(text[text.size() - 2]) && text.find(' ') != std::string_view::npos;
}

std::optional<std::string> command_field(std::string_view text) {
  if (text.empty() || text.front() != '{' || text.back() != '}') return std::nullopt;
  const std::optional<Json> object = read_json_object(text);
  if (!object) return std::nullopt;
  for (const char* key : {"command", "cmd"}) {
    if (const auto it = object->find(key); it != object->end() && it->is_string())
      return std::string(strip(it->get_ref<const std::string&>()));
  }
  return std::nullopt;
}

std::optional<std::string> bare_command(std::string_view text, const Known& known) {
  std::vector<std::string_view> spans, lines;
  for_each_line(text, [&](std::string_view line, std::size_t) {
    lines.push_back(without_cr(line));
    for (const std::string_view span : code_spans(line)) spans.push_back(span);
  });
  for (const std::string_view span : spans)
    if (starts_command(span, known)) return std::string(span);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::string_view line = without_marks(lines[i]);
    if (!starts_command(line, known)) continue;
    std::string command(line);
    while (!command.empty() && command.back() == '\\' && i + 1 < lines.size()) {
      command.pop_back();
      command += lines[++i];
    }
    return std::string(strip(command));
  }
  const bool one_line = text.find('\n') == std::string_view::npos;
  if (text.empty() || !one_line || text[0] == '#' || is_sentence(text) || code_points(text) > kMaxSentence)
    return std::nullopt;
  return std::string(text);
}

}  // namespace

std::optional<std::string> read_command(std::string_view answer, const Known& known) {
  const std::string text = replace_all(std::string(answer.substr(0, kMaxText)), "\u00a0", " ");
  const std::string_view whole = strip(text);
  std::optional<std::string> command = command_field(whole);
  if (!command) {
    if (const auto lines = command_fence(whole)) {
      command = script_of(*lines, known);
    } else {
      command = bare_command(whole, known);
    }
  }
  if (command && command->empty()) return std::nullopt;
  return command;
}

}  // namespace micius
