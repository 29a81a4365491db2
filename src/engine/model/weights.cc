#include "engine/model/weights.h"

#include <span>
#include <utility>
#include <vector>

#include "engine/model/weight_reader_internal.h"

namespace micius {
namespace {

class CpuPacker {
 public:
  using Matrix = Linear;
  using Vector = std::vector<float>;

  CpuPacker(Numerics numerics, const OpContext& context) : numerics_(numerics), context_(context) {}

  Linear linear(std::span<const LinearPart> parts) { return {parts, numerics_, memory_, context_}; }
  static std::vector<float> vector(std::vector<float> values) { return values; }
  Arena take_memory() { return std::move(memory_); }

 private:
  Numerics numerics_;
  const OpContext& context_;
  Arena memory_;
};

}  // namespace

ModelWeights read_weights(const ModelSource& source, const ModelConfig& config, Numerics numerics,
                          const OpContext& context) {
  CpuPacker packer(numerics, context);
  auto read = WeightReader(source, config, packer).read();
  return {packer.take_memory(), config.tied_head ? std::nullopt : std::optional(read.embedding),
          std::move(read.layers), std::move(read.final_norm), std::move(read.head)};
}

}  // namespace micius
