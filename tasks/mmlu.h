// MMLU (Hendrycks et al., 2021): 57 subjects, four choices, the letter by likelihood.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"
#include "core/task.h"

namespace micius {

// A task a subject, mmlu_virology, over the rows of one file for all.
std::vector<Registry<TaskFactory>::Entry> mmlu_tasks();

// The subjects' tasks of lm-eval's four groups, by the group's name: mmlu_stem, mmlu_other,
// mmlu_social_sciences, mmlu_humanities.
struct MmluGroup {
  std::string name;
  std::vector<std::string> tasks;
};
std::vector<MmluGroup> mmlu_groups();

}  // namespace micius
