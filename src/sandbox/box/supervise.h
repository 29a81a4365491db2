// Runs one request to its end.
#pragma once

#include <string>

#include "core/sandbox.h"

namespace micius {

// For the first process of a box, after set_up_box(): starts the program, watches it, ends all that is left
// of it and says what it did. `lane` leads to the harness, which answers the served programs. Throws
// std::runtime_error; a harness that went away ends this process.
ExecResult supervise(const ExecRequest& request, const std::string& filter, int lane);

}  // namespace micius
