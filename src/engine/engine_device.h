// Where models run.
#pragma once

namespace micius {

// kCuda: the GPUs of this machine, among which CUDA_VISIBLE_DEVICES may choose.
enum class EngineDevice { kCpu, kCuda };

}  // namespace micius
