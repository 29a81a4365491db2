#include "engine/model/bert_weights.h"

#include <span>
#include <utility>

#include "engine/model/bert_reader_internal.h"

namespace micius {
namespace {

class CpuPacker {
 public:
  using Matrix = Linear;
  using Vector = std::vector<float>;

  CpuPacker(Arena& memory, const OpContext& context) : memory_(memory), context_(context) {}

  Linear linear(std::span<const LinearPart> parts) const {
    return {parts, Numerics::kFp32, memory_, context_};
  }
  static std::vector<float> vector(std::vector<float> values) { return values; }

 private:
  Arena& memory_;
  const OpContext& context_;
};

}  // namespace

BertWeights read_bert_weights(const Safetensors& file, const BertConfig& config, const OpContext& context) {
  BertWeights weights;
  CpuPacker packer(weights.memory, context);
  weights.tensors = BertReader(file, config, packer).read();
  return weights;
}

}  // namespace micius
