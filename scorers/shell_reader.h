// Reads a shell command line into words, and into pipelines of simple commands where it is no more than that.
// Runs nothing. Linear in the text; what is longer than 64 KiB is not read.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace micius {

struct ShellWord {
  std::string value;     // quotes and backslashes resolved; expansions as they are written
  bool expands = false;  // has a `$` or a backtick that the shell would act on
  bool globs = false;    // has an unquoted * ? [ { or a leading ~
  bool quoted = false;   // has a quote or a backslash
  bool operator==(const ShellWord& other) const { return value == other.value && expands == other.expands; }
  bool plain() const { return !expands && !globs; }
};

struct ShellToken {
  bool is_operator = false;  // a line's end is the operator ";"
  ShellWord word;            // of an operator: its text
  bool operator==(const ShellToken&) const = default;
};

// Words and operators ("|", "&&", ">>", "2>", "&>" ...). Blanks, comments and empty commands are gone. Absent
// for a quote or an expansion that is never closed.
std::optional<std::vector<ShellToken>> shell_tokens(std::string_view text);

struct Redirection {
  std::string mark;  // ">", ">>", "<", "2>", "2>>", "2>&1", "1>&2", "&>", "&>>", "<<<"
  ShellWord target;  // empty for those that name no file
};

struct SimpleCommand {
  std::vector<std::pair<std::string, ShellWord>> assignments;  // NAME=value before the words
  std::vector<ShellWord> words;                                // perhaps none
  std::vector<Redirection> redirections;
};

struct Pipeline {
  std::vector<SimpleCommand> commands;
  std::string joint;  // what stands before it: "" for the first, ";", "&&" or "||"
};

// Absent for what is more than simple commands: compound commands, functions, heredocs, background jobs,
// process substitution.
std::optional<std::vector<Pipeline>> read_shell(std::string_view text);

}  // namespace micius
