// Option tables and their reading. A table is data (tools/*.json); an engine is how a family of tools reads
// its words. Nothing here knows a tool.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace micius::emu {

struct OptionSpec {
  std::string name;                 // the first flag of its row, without a trailing '='
  std::vector<std::string> flags;   // every spelling
  std::size_t min_values = 0;       // 0 and 0: a switch
  std::size_t max_values = 0;       // kMany: all words up to the next option
  std::vector<std::string> values;  // what a value may be; empty: anything
  std::string arg, help;            // "SECONDS"; our words
  bool is_switch() const { return max_values == 0; }
};
inline constexpr std::size_t kMany = 1'000'000;

struct CommandSpec {
  std::string name, synopsis;
  std::vector<OptionSpec> options;
  std::vector<CommandSpec> subcommands;

  const OptionSpec* find(std::string_view flag) const;  // by its exact spelling
  const CommandSpec* subcommand(std::string_view name) const;
};

struct ToolSpec {
  CommandSpec root;
  std::string version;
  Json facts;  // the whole file, for what else it holds
};

// Throws Error{kInvalidData} that names `where`.
ToolSpec read_tool(const Json& json, const std::string& where);

enum class Engine {
  kNvidia,    // "-i 0", "--id=0", "--id 0", "-arch=x"; a subcommand only as the first word
  kArgparse,  // unique prefixes of long options, clusters, several values, choices, subcommands anywhere
  kGetopt,    // clusters, joined values, unique prefixes; options and words in any order
  kWrapper,   // getopt that stops at the first word: what follows is another program's command line
  kKnack,     // argparse below a path of command groups: "node info"
};

struct Given {
  const OptionSpec* option;
  std::vector<std::string> values;
};

enum class Problem {
  kNone,
  kUnknownOption,
  kUnknownCommand,
  kMissingValue,
  kUnexpectedValue,
  kBadChoice,
  kAmbiguous
};

// What the words of one command line say. `command` and `option` point into the tool.
struct Parsed {
  const CommandSpec* command = nullptr;
  std::string path;  // of subcommands, joined by blanks
  std::vector<Given> options;
  std::vector<std::string> words;  // what is no option; for kWrapper the child's command line
  Problem problem = Problem::kNone;
  std::string culprit;                // the word of the problem
  const OptionSpec* about = nullptr;  // the option that it concerns, where there is one

  bool has(std::string_view name) const { return find(name) != nullptr; }
  const Given* find(std::string_view name) const;                 // the last one given, by OptionSpec::name
  std::optional<std::string> value(std::string_view name) const;  // its first value
  std::string value_or(std::string_view name, std::string fallback) const;
};

// Reads what follows argv[0]. Linear in the words; stops at the first problem.
Parsed parse_options(const ToolSpec& tool, Engine engine, std::span<const std::string> words);

}  // namespace micius::emu
