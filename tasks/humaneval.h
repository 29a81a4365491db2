// HumanEval (Chen et al., 2021): the body of a Python function from its head and docstring.
#pragma once

#include "core/task.h"

namespace micius {

Task make_humaneval(const TaskOptions& options);
Task make_humaneval_instruct(const TaskOptions& options);

}  // namespace micius
