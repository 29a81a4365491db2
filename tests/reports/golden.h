// Approved files: tests/golden/<name>. With MICIUS_UPDATE_GOLDEN=1 in the environment they are written anew.
#pragma once

#include <string>

namespace micius {

void check_golden(const std::string& name, const std::string& text);

}  // namespace micius
