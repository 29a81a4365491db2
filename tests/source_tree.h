// Where the repository and this build are. Functions of one object file: as macros the paths would stand on
// the command line of every test, and no clone could use what ccache has of another.
#pragma once

#include <filesystem>

namespace micius {

std::filesystem::path source_tree();

// The program of this build, and the folder of the programs that live inside the sandbox.
std::filesystem::path built_micius();
std::filesystem::path built_inside();

}  // namespace micius
