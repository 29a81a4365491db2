// The engines of options.h: one scanner over the words, and for each engine what it allows.
#include <algorithm>

#include "base/text.h"
#include "emu/options.h"

namespace micius::emu {
namespace {

struct Rules {
  bool prefixes;         // a unique beginning of a long option is that option
  bool clusters;         // "-pt" is "-p -t"; "-b8" is "-b 8"
  bool stop_at_word;     // the first word ends the options
  bool late_subcommand;  // a subcommand may follow options
  bool choices;          // a value outside the table's list is refused
};

Rules rules_of(Engine engine) {
  switch (engine) {
    case Engine::kNvidia:
      return {false, false, false, false, false};
    case Engine::kArgparse:
      return {true, true, false, true, true};
    case Engine::kGetopt:
      return {true, true, false, false, false};
    case Engine::kWrapper:
      return {true, true, true, false, false};
    case Engine::kKnack:
      return {true, true, false, true, true};
  }
  return {};
}

bool is_number(std::string_view word) {
  return word.size() > 1 && word[0] == '-' &&
         word.find_first_not_of("0123456789.", 1) == std::string_view::npos;
}

class Scanner {
 public:
  Scanner(const ToolSpec& tool, Engine engine, std::span<const std::string> words)
      : root_(tool.root), rules_(rules_of(engine)), engine_(engine), words_(words) {
    parsed_.command = &tool.root;
  }

  Parsed run() {
    while (at_ < words_.size() && parsed_.problem == Problem::kNone) {
      const std::string& word = words_[at_];
      if (word == "--" && engine_ != Engine::kNvidia) {
        rest(at_ + 1);
      } else if (looks_like_option(word)) {
        option(word);
      } else if (!command(word)) {
        if (rules_.stop_at_word) {
          rest(at_);
        } else {
          parsed_.words.push_back(word);
          ++at_;
        }
      }
    }
    return std::move(parsed_);
  }

 private:
  bool looks_like_option(const std::string& word) const {
    if (word.size() < 2 || word[0] != '-') return false;
    return !is_number(word) || lookup(word) != nullptr;
  }

  const OptionSpec* lookup(std::string_view flag) const {
    if (const OptionSpec* found = parsed_.command->find(flag)) return found;
    // Below a subcommand the tool's own options (-h, --debug) still count.
    return parsed_.command == &root_ ? nullptr : rules_.late_subcommand ? root_.find(flag) : nullptr;
  }

  bool command(const std::string& word) {
    if (parsed_.command->subcommands.empty() || !parsed_.words.empty()) return false;
    if (!rules_.late_subcommand && at_ > 0 && parsed_.command == &root_) return false;
    const CommandSpec* child = parsed_.command->subcommand(word);
    if (child == nullptr) {  // "node info" as one name of two words
      if (at_ + 1 < words_.size()) child = parsed_.command->subcommand(word + " " + words_[at_ + 1]);
      if (child == nullptr) {
        const bool group =
            std::any_of(parsed_.command->subcommands.begin(), parsed_.command->subcommands.end(),
                        [&](const CommandSpec& other) { return other.name.rfind(word + " ", 0) == 0; });
        fail(Problem::kUnknownCommand, group && at_ + 1 < words_.size() ? words_[at_ + 1] : word, nullptr);
        return true;
      }
      ++at_;
    }
    ++at_;
    parsed_.command = child;
    parsed_.path += (parsed_.path.empty() ? "" : " ") + child->name;
    return true;
  }

  void rest(std::size_t from) {
    parsed_.words.insert(parsed_.words.end(), words_.begin() + static_cast<std::ptrdiff_t>(from),
                         words_.end());
    at_ = words_.size();
  }

  void fail(Problem problem, std::string culprit, const OptionSpec* about) {
    parsed_.problem = problem;
    parsed_.culprit = std::move(culprit);
    parsed_.about = about;
  }

  // All options of the command and, for argparse, of the tool whose long flag begins with `flag`.
  const OptionSpec* by_prefix(std::string_view flag, bool& ambiguous) const {
    const OptionSpec* found = nullptr;
    const auto scan = [&](const CommandSpec& command) {
      for (const OptionSpec& option : command.options)
        for (const std::string& other : option.flags)
          if (other.size() > flag.size() && other.compare(0, flag.size(), flag) == 0 &&
              other.rfind("--", 0) == 0) {
            if (found != nullptr && found != &option) ambiguous = true;
            found = &option;
          }
    };
    scan(*parsed_.command);
    return found;
  }

  void option(const std::string& word) {
    const std::size_t equals = word.find('=');
    const std::string flag = word.substr(0, equals);
    std::optional<std::string> joined;
    if (equals != std::string::npos) joined = word.substr(equals + 1);
    const OptionSpec* found = lookup(word);
    if (found != nullptr) joined.reset();
    if (found == nullptr) found = lookup(flag);
    bool ambiguous = false;
    if (found == nullptr && rules_.prefixes && flag.size() > 2 && flag.rfind("--", 0) == 0)
      found = by_prefix(flag, ambiguous);
    if (ambiguous) return fail(Problem::kAmbiguous, flag, nullptr);
    ++at_;
    if (found != nullptr) return take(*found, std::move(joined), flag);
    if (rules_.clusters && word[1] != '-') return cluster(word);
    fail(Problem::kUnknownOption, engine_ == Engine::kNvidia ? word : flag, nullptr);
  }

  void cluster(const std::string& word) {
    for (std::size_t i = 1; i < word.size(); ++i) {
      const std::string flag{'-', word[i]};
      const OptionSpec* found = lookup(flag);
      if (found == nullptr) return fail(Problem::kUnknownOption, i == 1 ? word : flag, nullptr);
      if (!found->is_switch()) {
        std::optional<std::string> joined;
        if (i + 1 < word.size())
          joined = word.substr(word[i + 1] == '=' && engine_ == Engine::kArgparse ? i + 2 : i + 1);
        return take(*found, std::move(joined), flag);
      }
      parsed_.options.push_back({found, {}});
    }
  }

  void take(const OptionSpec& option, std::optional<std::string> joined, const std::string& flag) {
    Given given{&option, {}};
    if (option.is_switch()) {
      if (joined) return fail(Problem::kUnexpectedValue, flag, &option);
    } else if (joined) {
      given.values.push_back(std::move(*joined));
    }
    const bool optional_one = option.min_values == 0 && option.max_values == 1;
    while (!joined && given.values.size() < option.max_values && at_ < words_.size() &&
           is_value(option, given)) {
      if (optional_one && engine_ != Engine::kArgparse && engine_ != Engine::kNvidia)
        break;  // getopt: joined only
      given.values.push_back(words_[at_++]);
    }
    if (given.values.size() < option.min_values) return fail(Problem::kMissingValue, flag, &option);
    if (rules_.choices && !option.values.empty())
      for (const std::string& value : given.values)
        if (std::find(option.values.begin(), option.values.end(), value) == option.values.end())
          return fail(Problem::kBadChoice, value, &option);
    parsed_.options.push_back(std::move(given));
  }

  // getopt takes any word that must follow; the others take none that is an option.
  bool is_value(const OptionSpec& option, const Given& given) const {
    const std::string& word = words_[at_];
    if (given.values.size() >= option.min_values || engine_ == Engine::kArgparse || engine_ == Engine::kKnack)
      return !looks_like_option(word) && word != "--";
    return true;
  }

  const CommandSpec& root_;
  Rules rules_;
  Engine engine_;
  std::span<const std::string> words_;
  std::size_t at_ = 0;
  Parsed parsed_;
};

}  // namespace

Parsed parse_options(const ToolSpec& tool, Engine engine, std::span<const std::string> words) {
  return Scanner(tool, engine, words).run();
}

}  // namespace micius::emu
