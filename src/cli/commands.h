// The makers of the verbs, one a file.
#pragma once

#include <memory>

#include "cli/command.h"

namespace micius {}  // namespace micius
