#include "engine/gpu.h"
#include "engine/gpu_attention_speed.h"

namespace micius {

struct GpuBench::Device {};

// That says why there is no GPU; nothing behind it is reached.
GpuBench::GpuBench() { usable_gpus(); }
GpuBench::~GpuBench() = default;
std::string GpuBench::name() const { return {}; }
std::uint32_t GpuBench::multiprocessors() const { return 0; }
DecodeTuning GpuBench::tuning(const DecodeLayout&) const { return {}; }
GpuMemoryRates GpuBench::memory(int) { return {}; }
GpuPhases GpuBench::phases(const GpuAttentionTest&, bool) { return {}; }
GpuAttentionTimes GpuBench::attention(const GpuAttentionTest&, int) { return {}; }

}  // namespace micius
