#include "engine/engine_info.h"

#include <algorithm>

#include <fmt/format.h>

#include "engine/model/decoder.h"
#include "engine/model/source.h"
#include "engine/ops/op_context.h"

namespace micius {

std::string gpu_names(std::span<const std::string> names) {
  std::string text;
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(names.begin(), name, *name) != name) continue;
    if (!text.empty()) text += ", ";
    const auto alike = std::count(names.begin(), names.end(), *name);
    text += alike == 1 ? *name : fmt::format("{} x {}", alike, *name);
  }
  return text;
}

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
