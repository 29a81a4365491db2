// MATH (Hendrycks et al., 2021): competition problems of seven types, which users bring.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"
#include "core/task.h"

namespace micius {

// A task a type, minerva_math_algebra, with the four worked examples of Lewkowycz et al. (2022), which lie
// with the data.
std::vector<Registry<TaskFactory>::Entry> minerva_math_tasks();
// The same problems without examples, hendrycks_math_algebra.
std::vector<Registry<TaskFactory>::Entry> hendrycks_math_tasks();

}  // namespace micius
