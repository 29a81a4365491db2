// A model's decoder, on the device that was asked for.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/model/config.h"
#include "engine/model/decoder.h"
#include "engine/model/source.h"
#include "engine/ops/op_context.h"

namespace micius {

class Device;

// All devices that this is: the GPUs of this machine, or a null, which is the CPU. Throws
// Error{kUnsupported} where there is no GPU, saying why.
std::vector<std::unique_ptr<Device>> open_devices(EngineDevice device);

// What 64 tokens of a sequence take of the memory for caches: on the CPU where `device` is null.
std::size_t kv_block_bytes(const ModelConfig& config, Numerics numerics, const Device* device);

struct OpenDecoder {
  // On the CPU where `device` is null. A GPU's memory must hold options.kv_memory besides. Throws what
  // read_weights() throws, and for a GPU Error{kUnsupported} for what it does not do, Error{kIo} where the
  // model does not fit into its memory. `context` must outlive this.
  OpenDecoder(const ModelSource& source, const ModelConfig& config, const EngineOptions& options,
              const OpContext& context, std::unique_ptr<Device> device);
  ~OpenDecoder();

  // Seconds that `work` takes, which calls the decoder: by the GPU's clock, or this machine's.
  double seconds_of(const std::function<void()>& work) const;

  std::unique_ptr<Device> device;  // null: the CPU
  std::size_t batch_tokens;        // of options, or fewer where the GPU has no room for them
  std::unique_ptr<Decoder> decoder;
};

}  // namespace micius
