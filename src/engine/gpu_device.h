// The GPUs of this machine, each as a Device. CUDA in a build with MICIUS_CUDA.
#pragma once

#include <memory>

#include "engine/device/device.h"
#include "engine/gpu.h"

namespace micius {

// One of survey_gpus().
std::unique_ptr<Device> open_gpu(const Gpu& gpu);

// Throws Error{kUnsupported} where there is none, or in another build, saying which.
inline std::unique_ptr<Device> open_first_gpu() { return open_gpu(usable_gpus().front()); }

}  // namespace micius
