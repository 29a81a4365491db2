#include "engine/gpu_attention_speed.h"
#include "engine/ops/decode_attention_gpu.h"

namespace micius {

struct GpuBench::Device {};

// gpu_figures() says why there is no GPU; nothing behind it is reached.
GpuBench::GpuBench() { gpu_figures(); }
GpuBench::~GpuBench() = default;
std::string GpuBench::name() const { return {}; }
std::uint32_t GpuBench::multiprocessors() const { return 0; }
DecodeTuning GpuBench::tuning(const DecodeLayout&) const { return {}; }
GpuMemoryRates GpuBench::memory(int) { return {}; }
GpuPhases GpuBench::phases(const GpuAttentionTest&, bool) { return {}; }
GpuAttentionTimes GpuBench::attention(const GpuAttentionTest&, int) { return {}; }

}  // namespace micius
