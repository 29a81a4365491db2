#include "engine/open_bert.h"

#include "engine/model/cpu_bert.h"
#include "engine/model/gpu_bert.h"

namespace micius {

std::unique_ptr<Bert> open_bert(const Safetensors& file, const BertConfig& config, std::size_t most_tokens,
                                const OpContext& context, Device* device) {
  if (device != nullptr) {
    return std::make_unique<GpuBert>(file, config, most_tokens, *device, context.pool);
  }
  return std::make_unique<CpuBert>(config, read_bert_weights(file, config, context), context);
}

}  // namespace micius
