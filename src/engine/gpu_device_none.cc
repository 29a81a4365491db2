#include "base/error.h"
#include "engine/gpu_device.h"

namespace micius {

// No survey of this build has one.
std::unique_ptr<Device> open_gpu(const Gpu& gpu) {
  fail(ErrorCode::kUnsupported, "{}: built without CUDA; use --device cpu", gpu.name);
}

}  // namespace micius
