// MBPP (Austin et al., 2021): a short Python program from one sentence and three tests.
#pragma once

#include "core/task.h"

namespace micius {

Task make_mbpp(const TaskOptions& options);

}  // namespace micius
