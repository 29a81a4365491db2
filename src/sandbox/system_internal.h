// What of this machine is in the sandbox.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace micius {

// The first `name` of PATH that is a program; absent where there is none.
std::optional<std::filesystem::path> find_program(const std::string& name);

// The Debian python3 or one in /usr/local: the program itself, not a link to it.
std::optional<std::filesystem::path> find_python();

// The arguments of bubblewrap, from its own name on. The programs that it lays inside are read from the
// descriptors `box` and, unless it is negative, `client`.
std::vector<std::string> bubblewrap_arguments(const std::filesystem::path& bubblewrap,
                                              const std::vector<std::string>& tools, int box, int client);

}  // namespace micius
