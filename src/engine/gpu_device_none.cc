#include "base/error.h"
#include "engine/gpu.h"
#include "engine/gpu_device.h"

namespace micius {

std::unique_ptr<Device> open_gpu(std::size_t) {
  fail(ErrorCode::kUnsupported, "no GPU: {}; use --device cpu", survey_gpus().problem);
}

}  // namespace micius
