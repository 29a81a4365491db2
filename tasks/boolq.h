// BoolQ (Clark et al., 2019): questions about a passage, answered by yes or no.
#pragma once

#include "core/task.h"

namespace micius {

Task make_boolq(const TaskOptions& options);

}  // namespace micius
