// HellaSwag (Zellers et al., 2019): how does a scene go on? Four endings.
#pragma once

#include "core/task.h"

namespace micius {

Task make_hellaswag(const TaskOptions& options);

}  // namespace micius
