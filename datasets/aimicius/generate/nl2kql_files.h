// NL2KQL's files from its sources.
#pragma once

#include <string>

#include "nl2kql.h"
#include "suite.h"

namespace micius::aimicius {

Files build_nl2kql(const std::filesystem::path& suite);

// The twin's test file: other draws, no curated cases.
std::string build_nl2kql_twin(const std::filesystem::path& suite, const std::string& seed);

// Cases as a person reads them: question and query.
std::string review_nl2kql(const std::filesystem::path& suite, Split split, std::size_t first,
                          std::size_t count);

}  // namespace micius::aimicius
