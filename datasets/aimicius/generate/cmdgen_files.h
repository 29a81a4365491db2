// CMDGen's files from its sources.
#pragma once

#include <string>

#include "cmdgen.h"

namespace micius::aimicius {

Files build_cmdgen(const std::filesystem::path& suite);

// The twin's test file: other draws, no curated cases.
std::string build_cmdgen_twin(const std::filesystem::path& suite, const std::string& seed);

// Cases as a person reads them, with what their references do.
std::string review_cmdgen(const std::filesystem::path& suite, Split split, std::size_t first,
                          std::size_t count);

// "0  test combos in tuning data", a line for each thing that the leak check compares.
std::string cmdgen_leaks(const std::filesystem::path& suite);

}  // namespace micius::aimicius
