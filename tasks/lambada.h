// LAMBADA (Paperno et al., 2016): the last word of a passage.
#pragma once

#include "core/task.h"

namespace micius {

Task make_lambada_openai(const TaskOptions& options);

}  // namespace micius
