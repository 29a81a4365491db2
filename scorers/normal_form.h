// One text for all command lines that say the same: what the metric normal_match compares.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "emu/catalog.h"
#include "scorers/shell_reader.h"

namespace micius {

// AIMicius 2.7. The option tables of the catalog say which spellings are one option and which words are its
// values; the rules (cmdgen/normal.json, "programs" and "options") say the rest: sizes, lists that are sets,
// defaults, fields with two names, options that are another one. Immutable; threads may share it.
//
//   nvidia-smi -i 0 -q            -> nvidia-smi -i=0 -q
//   nvidia-smi -q --id=0          -> the same
//   export A=1; X                 -> A=1 X
//   ./build/all_reduce_perf -e 1K -> all_reduce_perf -e=1024
class NormalForms {
 public:
  // The catalog outlives this object. Throws Error{kInvalidData} for a broken rule, naming `where`.
  NormalForms(const emu::Catalog& catalog, const Json& rules, const std::string& where);

  // `platform`: "nvidia" or "amd", which have different programs of one name. Absent where the command is
  // more than pipelines of simple commands, or exports thousands of variables to thousands of them.
  std::optional<std::string> of(std::string_view command, std::string_view platform) const;

  // Is it the name of a program that answers may begin with?
  bool known(std::string_view name) const { return names_.count(std::string(name)) != 0; }

 private:
  // How a program's words are read: the table and engine by platform ("" where both have the same).
  struct Program {
    std::map<std::string, std::string> table;
    emu::Engine engine;
  };
  // What a table does not say about its options, by name.
  struct OptionRules {
    std::set<std::string> sizes, sets;
    std::vector<std::string> joined;  // one-letter options whose value stands right behind: "-O3"
    std::map<std::string, std::string> defaults;
    std::map<std::string, std::map<std::string, std::string>> aliases;  // option -> a value's other names
    std::map<std::pair<std::string, std::string>, std::string> same;    // (option, value) -> a switch
  };
  // One option with its values in normal form, or nothing where it says no more than its default.
  using Item = std::pair<std::string, std::string>;

  std::optional<std::string> read(std::string_view command, std::string_view platform, int depth) const;
  std::string simple(const SimpleCommand& command, std::string_view platform, int depth) const;
  std::string words(const std::vector<std::string>& words, std::string_view platform, int depth) const;
  const OptionRules& rules_of(const std::string& table) const;
  std::optional<Item> item(const emu::Given& given, const OptionRules& rules) const;
  std::string value_of(const emu::OptionSpec& option, std::string value, const OptionRules& rules) const;

  const emu::Catalog& catalog_;
  std::map<std::string, Program> programs_;
  std::map<std::string, OptionRules> options_;  // by table
  std::set<std::string> names_;
};

}  // namespace micius
