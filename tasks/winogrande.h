// WinoGrande (Sakaguchi et al., 2020): which of two names fills the gap of a sentence?
#pragma once

#include "core/task.h"

namespace micius {

Task make_winogrande(const TaskOptions& options);

}  // namespace micius
