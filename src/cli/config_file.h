// --config FILE: the flags of a command as JSON, {"model": ["a", "b"], "limit": 10}. Flags on the command
// line win.
#pragma once

#include <string>
#include <vector>

namespace micius {

class Flags;

struct ConfigArguments {
  std::string path;                    // the file, or "" where none was named
  std::vector<std::string> arguments;  // what it adds to the command line
  std::vector<std::string> flags;      // the flags among them
};

// What the file of `command`'s --config sets and the command line that was parsed does not. A value is text,
// a number, true, false or a list of them; a flag that takes JSON or KEY=VALUE may have an object. Throws
// Error naming the file and the field.
ConfigArguments config_arguments(const Flags& command);

}  // namespace micius
