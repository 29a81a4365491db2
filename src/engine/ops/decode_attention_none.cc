#include "base/error.h"
#include "engine/gpu.h"
#include "engine/ops/decode_attention_gpu.h"

namespace micius {
namespace {

[[noreturn]] void refuse() {
  fail(ErrorCode::kUnsupported, "no GPU: {}; use --device cpu", survey_gpus().problem);
}

}  // namespace

GpuFigures gpu_figures(int) { refuse(); }
DecodeResults decode_on_gpu(const DecodeInputs&, const DecodeTuning&) { refuse(); }
void launch_decode(const DecodeArgs&, std::uint32_t, void*) { refuse(); }

}  // namespace micius
