// Keys of remote models: from the environment or from files that nobody else may read.
#pragma once

#include <filesystem>
#include <string>

namespace micius {

// The one line of a file, without blanks around it. Throws Error for a file that is not there (kNotFound),
// is no regular file, belongs to somebody else, may be read by others (the message holds the chmod to type),
// or is not one line of printable characters (kUsage). No message holds anything of what it says.
std::string read_key_file(const std::filesystem::path& path);

// What the variable NAME holds, or the file that NAME_FILE names; "" where neither is set. Throws as
// read_key_file() does, and Error{kUsage} where both are set.
std::string secret_from(const std::string& name);

// From here on the process leaves no core dump and no other process of the user may look into it.
void forbid_dumps();

}  // namespace micius
