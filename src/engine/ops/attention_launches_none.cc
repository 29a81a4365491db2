#include "base/error.h"
#include "engine/gpu.h"
#include "engine/ops/kv_append_gpu.h"
#include "engine/ops/prefill_attention_gpu.h"
#include "engine/ops/selective_attention_gpu.h"

namespace micius {
namespace {

[[noreturn]] void refuse() {
  fail(ErrorCode::kUnsupported, "no GPU: {}; use --device cpu", survey_gpus().problem);
}

}  // namespace

void launch_kv_append(const KvAppendArgs&, std::uint32_t, const KernelStart&) { refuse(); }
void launch_kv_copy(const KvCopyArgs&, std::uint32_t, const KernelStart&) { refuse(); }
void launch_prefill(const PrefillArgs&, std::uint32_t, const KernelStart&) { refuse(); }
void launch_merge(const AttentionMergeArgs&, std::uint32_t, const KernelStart&) { refuse(); }
void launch_selective(const SelectiveArgs&, std::uint32_t, std::uint32_t, const KernelStart&) { refuse(); }

}  // namespace micius
