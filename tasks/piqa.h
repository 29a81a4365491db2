// PIQA (Bisk et al., 2020): which of two ways reaches an everyday goal?
#pragma once

#include "core/task.h"

namespace micius {

Task make_piqa(const TaskOptions& options);

}  // namespace micius
