// What a model needs of a GPU's memory, before any of it is read.
#pragma once

#include <cstddef>

#include "engine/device/device.h"
#include "engine/model/config.h"
#include "engine/model/decoder.h"
#include "engine/model/source.h"
#include "engine/ops/value_selection.h"

namespace micius {

// Bytes; those of keys and values are exact, of weights within a few percent; the others are what there may
// be.
struct GpuNeeds {
  std::size_t weights = 0;
  std::size_t kv = 0;
  std::size_t batch = 0;  // of any batch
  std::size_t token = 0;  // and of each of its tokens

  std::size_t total(std::size_t batch_tokens) const { return weights + kv + batch + batch_tokens * token; }
};

// What a model is opened for.
struct GpuUse {
  std::size_t kv_bytes = 0;
  ValueSelection selection = {};
  std::size_t logit_rows = kLogitRows;  // read at a time
};

GpuNeeds gpu_needs(const ModelSource& source, const ModelConfig& config, const GpuUse& use,
                   const GpuFigures& figures);

// `most` tokens, or the half of it, or of that, for which there is room: but at least 32, or `most` where
// that is less. Throws Error{kIo} with what is needed, what is free and what to do, where that is too much.
std::size_t fitting_batch(const GpuNeeds& needs, std::size_t most, const ModelSource& source,
                          const Device& device);

}  // namespace micius
