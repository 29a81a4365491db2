// An encoder's forward pass, on the device that was asked for.
#pragma once

#include <cstddef>
#include <memory>

#include "engine/model/bert.h"
#include "engine/model/bert_config.h"
#include "engine/ops/op_context.h"
#include "engine/safetensors.h"

namespace micius {

class Device;

// For batches of at most `most_tokens`. On the CPU where `device` is null. Borrows file, context and device.
// Throws as read_bert_weights() does, and for a GPU as GpuBert's constructor.
std::unique_ptr<Bert> open_bert(const Safetensors& file, const BertConfig& config, std::size_t most_tokens,
                                const OpContext& context, Device* device);

}  // namespace micius
