// LogiQA (Liu et al., 2020): questions of logical reading, four choices.
#pragma once

#include "core/task.h"

namespace micius {

Task make_logiqa(const TaskOptions& options);

}  // namespace micius
