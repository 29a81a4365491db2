// MMLU-Pro (Wang et al., 2024): 14 categories, up to ten choices, reasoning and then the letter.
#pragma once

#include <vector>

#include "core/registry.h"
#include "core/task.h"

namespace micius {

// A task a category, mmlu_pro_computer_science, over the rows of one file for all.
std::vector<Registry<TaskFactory>::Entry> mmlu_pro_tasks();

}  // namespace micius
