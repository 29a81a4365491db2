// OpenBookQA (Mihaylov et al., 2018): questions about elementary science facts, four choices.
#pragma once

#include "core/task.h"

namespace micius {

Task make_openbookqa(const TaskOptions& options);

}  // namespace micius
