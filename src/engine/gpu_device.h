// The GPUs of this machine, each as a Device. CUDA in a build with MICIUS_CUDA.
#pragma once

#include <memory>

#include "engine/device/device.h"
#include "engine/engine_device.h"
#include "engine/gpu.h"

namespace micius {

// One of survey_gpus().
std::unique_ptr<Device> open_gpu(const Gpu& gpu);

// Throws Error{kUnsupported} where there is none, or in another build, saying which.
inline std::unique_ptr<Device> open_first_gpu() { return open_gpu(usable_gpus().front()); }

// For what runs on one device: null is the CPU. Throws as open_first_gpu().
inline std::unique_ptr<Device> open_device(EngineDevice device) {
  return device == EngineDevice::kCpu ? nullptr : open_first_gpu();
}

}  // namespace micius
