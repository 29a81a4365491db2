// MBPP (Austin et al., 2021): a short Python program from one sentence and three tests.
#pragma once

#include "core/task.h"

namespace micius {

Task make_mbpp(const TaskOptions& options);
// Param "lm_eval_bug": true reads answers as lm-eval 0.4.13 does, which loses the first word of bare code.
Task make_mbpp_instruct(const TaskOptions& options);

}  // namespace micius
