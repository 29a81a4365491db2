// Small models of the families that the engine knows, one a line of families.jsonl.
#pragma once

#include <filesystem>

#include "base/json.h"

namespace micius {

// Writes the model of a line to an existing folder, with weights that follow from its tensors' names alone,
// so that a reference can have the same.
void write_family(const std::filesystem::path& folder, const Json& row);

}  // namespace micius
