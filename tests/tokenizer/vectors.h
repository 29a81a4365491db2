// Finds the shared test vectors; they are not part of the repository.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>

#include "base/json.h"

namespace micius::test {

// A file of ../shared/vectors, or an empty path (with a WARN that says so) where it is absent.
std::filesystem::path shared_vectors(const std::string& name);

// Calls fn with each line's value.
void for_each_row(const std::filesystem::path& file, const std::function<void(const Json&)>& fn);

// Bytes of a string of hexadecimal digits.
std::string from_hex(const std::string& hex);

}  // namespace micius::test
