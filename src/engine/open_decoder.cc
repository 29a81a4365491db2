#include "engine/open_decoder.h"

#include <chrono>
#include <utility>

#include "engine/device/device.h"
#include "engine/gpu.h"
#include "engine/gpu_device.h"
#include "engine/gpu_needs.h"
#include "engine/model/cpu_decoder.h"
#include "engine/model/gpu_decoder.h"
#include "engine/model/weights.h"
#include "engine/ops/selective_attention.h"
#include "engine/speed_internal.h"

namespace micius {

std::vector<std::unique_ptr<Device>> open_devices(EngineDevice device) {
  std::vector<std::unique_ptr<Device>> devices;
  if (device == EngineDevice::kCpu) {
    devices.push_back(nullptr);
    return devices;
  }
  for (const Gpu& gpu : usable_gpus()) devices.push_back(open_gpu(gpu));
  return devices;
}

std::size_t kv_block_bytes(const ModelConfig& config, Numerics numerics, const Device* device) {
  return config.layers * (device == nullptr ? Transformer::kv_layout(config, numerics).page_bytes()
                                            : GpuDecoder::kv_layout(config).page_bytes());
}

OpenDecoder::OpenDecoder(const ModelSource& source, const ModelConfig& config, const EngineOptions& options,
                         const OpContext& context, std::unique_ptr<Device> on)
    : device(std::move(on)), batch_tokens(options.batch_tokens) {
  if (device == nullptr) {
    Transformer transformer(config, read_weights(source, config, options.numerics, context));
    decoder = std::make_unique<CpuDecoder>(std::move(transformer), options.numerics, context);
    return;
  }
  if (options.selection.top > 0) {
    check_selection(GpuDecoder::kv_layout(config), options.selection.top, config.context,
                    device->figures().shared_bytes);
  }
  const GpuNeeds needs = gpu_needs(source, config, {options.kv_memory, options.selection}, device->figures());
  batch_tokens = fitting_batch(needs, options.batch_tokens, source, *device);
  decoder = std::make_unique<GpuDecoder>(source, config, options.numerics, *device, context.pool);
}

OpenDecoder::~OpenDecoder() = default;

double OpenDecoder::seconds_of(const std::function<void()>& work) const {
  if (device != nullptr) return device->seconds_of(work);
  const auto start = std::chrono::steady_clock::now();
  work();
  return seconds_since(start);
}

}  // namespace micius
