// --config FILE: the flags of a command as JSON, {"model": ["a", "b"], "limit": 10}. Flags on the command
// line win.
#pragma once

#include <string>
#include <vector>

namespace micius {

struct ExpandedArguments {
  std::vector<std::string> arguments;
  std::string config;              // the file, or ""
  std::vector<std::string> flags;  // that came from it
};

// Replaces `--config FILE` by the flags that the file sets and the command line does not. Throws Error naming
// the file and the field for a value that is not text, number, true, false or a list of them.
ExpandedArguments expand_config_file(std::vector<std::string> arguments);

}  // namespace micius
