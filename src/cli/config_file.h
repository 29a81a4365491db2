// --config FILE: the flags of a command as JSON, {"model": ["a", "b"], "limit": 10}. Flags on the command
// line win.
#pragma once

#include <string>
#include <vector>

namespace micius {

// Replaces `--config FILE` by the flags that the file sets and the command line does not. Throws Error naming
// the file and the field for a value that is not text, number, true, false or a list of them.
std::vector<std::string> expand_config_file(std::vector<std::string> arguments);

}  // namespace micius
