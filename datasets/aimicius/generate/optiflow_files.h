// What `micius-data` does for Optiflow beside its files.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "phrasings.h"

namespace micius::aimicius {

// The test file of a twin: other draws by the same rules, no published machines.
std::string build_optiflow_twin(const std::filesystem::path& suite, const std::string& seed);

// Cases as a person reads them: the machine's links, what is to be gathered, and how long the first plan, the
// best one and the bound take.
std::string review_optiflow(const std::filesystem::path& suite, Split split, std::size_t first,
                            std::size_t count);

}  // namespace micius::aimicius
