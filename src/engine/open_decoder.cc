#include "engine/open_decoder.h"

#include <utility>

#include "engine/device/device.h"
#include "engine/gpu.h"
#include "engine/gpu_device.h"
#include "engine/model/cpu_decoder.h"
#include "engine/model/gpu_decoder.h"
#include "engine/model/weights.h"
#include "engine/ops/selective_attention.h"

namespace micius {

OpenDecoder::OpenDecoder(const ModelSource& source, const ModelConfig& config, const EngineOptions& options,
                         const OpContext& context) {
  if (options.device == EngineDevice::kCpu) {
    Transformer transformer(config, read_weights(source, config, options.numerics, context));
    decoder = std::make_unique<CpuDecoder>(std::move(transformer), options.numerics, context);
    return;
  }
  device = open_gpu();
  if (options.selection.top > 0) {
    check_selection(GpuDecoder::kv_layout(config), options.selection.top, config.context,
                    device->figures().shared_bytes);
  }
  gpu = survey_gpus().gpus.front().name;
  decoder = std::make_unique<GpuDecoder>(source, config, options.numerics, *device, context.pool);
}

OpenDecoder::~OpenDecoder() = default;

}  // namespace micius
