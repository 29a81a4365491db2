// BIG-Bench Hard (Suzgun et al., 2022): 27 subsets, each with three worked examples that lie with the data.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"
#include "core/task.h"

namespace micius {

// A task a subset, bbh_cot_fewshot_navigate.
std::vector<Registry<TaskFactory>::Entry> bbh_tasks();

}  // namespace micius
