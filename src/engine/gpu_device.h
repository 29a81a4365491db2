// The GPU of this machine, as a Device. CUDA in a build with MICIUS_CUDA.
#pragma once

#include <memory>

#include "engine/device/device.h"

namespace micius {

// The first one. Throws Error{kUnsupported} where there is none, or in another build, saying which.
std::unique_ptr<Device> open_gpu();

}  // namespace micius
