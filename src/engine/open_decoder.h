// A model's decoder, on the device that was asked for.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "engine/engine.h"
#include "engine/model/config.h"
#include "engine/model/decoder.h"
#include "engine/model/source.h"
#include "engine/ops/op_context.h"

namespace micius {

class Device;

struct OpenDecoder {
  // Throws what read_weights() throws, and for EngineDevice::kCuda Error{kUnsupported} where there is no GPU,
  // or for what it does not do, Error{kIo} where the model does not fit into its memory. `context` must
  // outlive this.
  OpenDecoder(const ModelSource& source, const ModelConfig& config, const EngineOptions& options,
              const OpContext& context);
  ~OpenDecoder();

  std::optional<std::string> gpu;  // its name; absent: the CPU
  std::unique_ptr<Device> device;  // of the GPU
  std::unique_ptr<Decoder> decoder;
};

}  // namespace micius
