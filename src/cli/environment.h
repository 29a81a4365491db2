// Which program on which machine.
#pragma once

#include <string>

#include "base/json.h"

namespace micius {

std::string version_text();  // "0.1.0 (1a2b3c4d5e6f)"; the commit where the build knew it

// What a run stores of the machine beside what its runner says: "micius", "os", "cpu".
Json machine_environment();

}  // namespace micius
