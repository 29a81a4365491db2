// Where things are inside the sandbox.
#pragma once

namespace micius {

inline constexpr const char* kWritableFolders[] = {"/home/user", "/job", "/tmp"};  // in the order of results
inline constexpr char kBoxProgram[] = "/opt/micius/micius-box";
inline constexpr char kClientProgram[] = "/opt/micius/micius-emu";

}  // namespace micius
