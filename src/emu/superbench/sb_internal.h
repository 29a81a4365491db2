// The parts of sb.
#pragma once

#include <string>
#include <vector>

#include "emu/host.h"

namespace micius::emu::superbench {

struct Command {
  Host& host;
  const Parsed& parsed;
};

int fail(Host& host, const std::string& message);       // on stderr, 1
int print(const Command& command, const Json& result);  // in the form of --output
// The content of the file that `option` names; null after saying that it is not there. `name` is its name in
// messages.
const std::string* need_file(const Command& command, const char* option, const char* name);
std::string output_folder(const Command& command);

int benchmarks(const Command& command);  // benchmark list, list-parameters
int deploy(const Command& command);
int run(const Command& command);  // run and exec
int node_info(const Command& command);
int results(const Command& command);  // result ...

}  // namespace micius::emu::superbench
