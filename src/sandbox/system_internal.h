// What of this machine is in the sandbox.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/types.h>

namespace micius {

// The first `name` of PATH that is a program; absent where there is none.
std::optional<std::filesystem::path> find_program(const std::string& name);

// The Debian python3 or one in /usr/local: the program itself, not a link to it.
std::optional<std::filesystem::path> find_python();

// Does RLIMIT_NPROC of this kernel ("5.10.0-8-amd64") count a user's threads in all user namespaces together?
bool counts_in_all_namespaces(std::string_view release);
int threads_of(uid_t user);  // that run now

// The arguments of bubblewrap, from its own name on. The programs that it lays inside are read from the
// descriptors `box` and, unless it is negative, `client`.
std::vector<std::string> bubblewrap_arguments(const std::filesystem::path& bubblewrap,
                                              const std::vector<std::string>& tools, int box, int client);

}  // namespace micius
