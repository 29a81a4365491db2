#include "engine/engine_info.h"

#include "engine/model/decoder.h"
#include "engine/model/source.h"
#include "engine/ops/op_context.h"

namespace micius {

EngineInfo engine_info(const ModelSource& source, const Decoder& decoder, const OpContext& context) {
  const ModelConfig& config = decoder.config();
  EngineInfo info;
  info.name = source.label();
  info.architecture = config.architecture;
  info.context = config.context;
  info.vocabulary = config.vocabulary;
  info.parameters = parameter_count(source);
  info.file_bytes = source.bytes();
  info.weight_bytes = decoder.bytes();
  info.isa = context.isa;
  info.threads = context.pool.threads();
  return info;
}

}  // namespace micius
