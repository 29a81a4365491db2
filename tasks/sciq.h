// SciQ (Welbl et al., 2017): science exam questions with a passage, four choices.
#pragma once

#include "core/task.h"

namespace micius {

Task make_sciq(const TaskOptions& options);

}  // namespace micius
