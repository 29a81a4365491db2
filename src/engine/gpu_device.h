// The GPUs of this machine, each as a Device. CUDA in a build with MICIUS_CUDA.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/device/device.h"

namespace micius {

// That of survey_gpus() with this index. Throws Error{kUnsupported} where there are none, or in another
// build, saying which.
std::unique_ptr<Device> open_gpu(std::size_t index);

}  // namespace micius
