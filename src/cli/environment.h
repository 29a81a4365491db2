// Which program on which machine, and what the user's environment says.
#pragma once

#include <string>

#include "base/json.h"

namespace micius {

std::string version_text();  // "0.1.0 (1a2b3c4d5e6f)"; the commit where the build knew it

// The value of a variable without blanks around it; "" where it is not set.
std::string environment_text(const std::string& name);

// What a run stores of the machine beside what its runner says: "micius", "os", "cpu".
Json machine_environment();

}  // namespace micius
