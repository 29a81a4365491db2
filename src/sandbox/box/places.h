// Where things are inside the sandbox.
#pragma once

namespace micius {

inline constexpr const char* kWritableFolders[] = {"/home/user", "/job", "/tmp"};  // in the order of results
// python3 and its library, under lib and bin; an empty folder for requests that have no use for it.
inline constexpr char kPythonFolder[] = "/opt/python";
inline constexpr char kBoxProgram[] = "/opt/micius/micius-box";
inline constexpr char kClientProgram[] = "/opt/micius/micius-emu";

}  // namespace micius
