// The commands that a wrong answer may be: near another one, and not it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cmdgen_sources.h"

namespace micius::aimicius {

// A command near another one.
struct Sibling {
  std::string command;
  bool may_be_right = false;  // an option with its value is left out: right where the value is the default
};

// Draws siblings from what the requests of one platform ask for. Deterministic: the same sources and command
// give the same siblings, whatever they do.
class Siblings {
 public:
  Siblings(const CommandSources& sources, const std::string& platform);

  // The command with each option left out (sudo, a variable, a redirection too), with each value changed, and
  // other commands of the platform. A list loses its last item; any other value becomes the next one that a
  // request may ask of this option; where there is none, half the size, the number before it (another GPU,
  // one round less), a word with a letter more.
  //
  //   nvidia-smi dmon -s pu -c 5      -> nvidia-smi dmon -c 5, dmon -s pu, dmon -s uc -c 5, dmon -s pu -c 6,
  //   .. NCCL_ALGO=Ring X -e 128M        -> X -e 128M, NCCL_ALGO=Tree X -e 128M, NCCL_ALGO=Ring X -e 64M, ..
  std::vector<Sibling> of(const std::string& command) const;

 private:
  std::optional<std::string> other_value(const std::string& program, const std::string& flag,
                                         const std::string& value) const;
  std::optional<std::string> with_other_value(const std::string& program, const std::string& before,
                                              const std::string& word) const;

  std::vector<std::string> others_;
  // "nvidia-smi --format" -> lists of values, each of one kind of request.
  std::map<std::string, std::vector<std::vector<std::string>>> values_;
};

// The word after sudo and variables, without its folder.
std::string program_of(const std::string& command);

}  // namespace micius::aimicius
