// The flags of a verb: how it declares them, and what a command line says of them.
//
//   flags.add("--limit", plan_.limit, "The first N samples of each task").at_least(1).type("N");
//   flags.add("runs", runs_, "Runs, or latest").required().type("RUN");  // a word without a flag
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace micius {

// One declared flag: a handle, good for as long as the command line that it is of. Every method changes the
// flag and returns the handle. What does not hold of the words that a user gives is an error of the parse.
class Flag {
 public:
  explicit Flag(CLI::Option& option) : option_(&option) {}

  Flag type(const std::string& name) const;             // what --help writes for the value
  Flag show_default() const;                            // in --help: what the variable holds now
  Flag required() const;                                // it must be given
  Flag excludes(const Flag& other) const;               // not together with the other one
  Flag environment(const std::string& variable) const;  // has the value where no word gives it
  Flag delimiter(char separator) const;                 // of the values of a list in one word
  Flag one_value() const;                               // of a list: the word after the value is none of it

  Flag one_of(const std::vector<std::string>& values) const;  // --help shows them
  Flag at_least(long least) const;                            // a whole number
  Flag within(double low, double high) const;                 // a finite number
  Flag in_range(int low, int high) const;                     // a whole number; --help shows the range
  Flag byte_size() const;                                     // bytes, with MB or GB for a suffix

 private:
  CLI::Option* option_;
};

// What the command line says of one flag.
struct ParsedFlag {
  std::string name;  // without dashes
  std::string type;  // as --help writes it
  bool is_positional, takes_value;
  bool is_given;                    // by the words; not by the environment
  std::vector<std::string> values;  // by the words or the environment; of a bool a "true" each time
};

// The flags of one verb, and the verbs below it. A handle, good for as long as the command line that it is
// of.
class Flags {
 public:
  explicit Flags(CLI::App& app) : app_(&app) {}

  // Declares a flag, "-o,--output", or by a name without dashes a word that stands alone. The parse sets
  // `value`, which must live until then, and leaves it as it is where nothing is given. A bool is set by the
  // flag itself; a list takes values until the next flag.
  Flag add(const std::string& names, bool& value, const std::string& help);
  Flag add(const std::string& names, std::string& value, const std::string& help);
  Flag add(const std::string& names, std::filesystem::path& value, const std::string& help);
  Flag add(const std::string& names, int& value, const std::string& help);
  Flag add(const std::string& names, std::int64_t& value, const std::string& help);
  Flag add(const std::string& names, std::uint64_t& value, const std::string& help);
  Flag add(const std::string& names, double& value, const std::string& help);
  Flag add(const std::string& names, std::optional<int>& value, const std::string& help);
  Flag add(const std::string& names, std::optional<std::uint64_t>& value, const std::string& help);
  Flag add(const std::string& names, std::optional<double>& value, const std::string& help);
  Flag add(const std::string& names, std::vector<std::string>& value, const std::string& help);
  Flag add(const std::string& names, std::vector<int>& value, const std::string& help);
  Flag add(const std::string& names, std::vector<std::uint64_t>& value, const std::string& help);

  // Declares a verb below this one. The parse calls `chosen` once its flags are read, if it is named.
  Flags verb(const std::string& name, const std::string& summary, std::function<void()> chosen);
  // One of the verbs below must be named.
  void require_verb();
  // None of the flags declared so far may be given together with one of the verbs declared so far.
  void keep_from_verbs();
  // What --help ends with.
  void footer(const std::string& text);

  // After the parse: all flags in the order of their declaration, --help first.
  std::vector<ParsedFlag> parsed() const;

 private:
  CLI::App* app_;
};

}  // namespace micius
