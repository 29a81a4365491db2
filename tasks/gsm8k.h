// GSM8K (Cobbe et al., 2021): word problems of grade school, the number at the end of the solution.
#pragma once

#include "core/task.h"

namespace micius {

Task make_gsm8k(const TaskOptions& options);
// With the eight worked examples of Wei et al. (2022), which lie with the data.
Task make_gsm8k_cot(const TaskOptions& options);
// Told to think step by step, without examples.
Task make_gsm8k_cot_zeroshot(const TaskOptions& options);

}  // namespace micius
