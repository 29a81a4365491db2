// The starts of the attention kernels with CUDA's errors as ours: nvcc cannot check the format strings of
// messages.
#include <cuda_runtime_api.h>

#include "engine/device/gpu_memory_internal.h"
#include "engine/ops/kv_append_gpu.h"
#include "engine/ops/prefill_attention_gpu.h"
#include "engine/ops/selective_attention_gpu.h"

namespace micius {

// Each returns a cudaError_t.
int launch_kv_append_kernel(const KvAppendArgs& args, std::uint32_t tokens, const KernelStart& start);
int launch_kv_copy_kernel(const KvCopyArgs& args, std::uint32_t copies, const KernelStart& start);
int launch_prefill_kernel(const PrefillArgs& args, std::uint32_t blocks, const KernelStart& start);
int launch_merge_kernel(const AttentionMergeArgs& args, std::uint32_t rows, const KernelStart& start);
int launch_selective_kernels(const SelectiveArgs& args, std::uint32_t chunks, std::uint32_t sequences,
                             const KernelStart& start);

namespace {

void check(int error, const char* what) { check_cuda(static_cast<cudaError_t>(error), what); }

}  // namespace

void launch_kv_append(const KvAppendArgs& args, std::uint32_t tokens, const KernelStart& start) {
  if (tokens > 0) check(launch_kv_append_kernel(args, tokens, start), "start of KV append");
}
void launch_kv_copy(const KvCopyArgs& args, std::uint32_t copies, const KernelStart& start) {
  if (copies > 0) check(launch_kv_copy_kernel(args, copies, start), "start of KV copy");
}
void launch_prefill(const PrefillArgs& args, std::uint32_t blocks, const KernelStart& start) {
  if (blocks > 0) check(launch_prefill_kernel(args, blocks, start), "start of prefill attention");
}
void launch_merge(const AttentionMergeArgs& args, std::uint32_t rows, const KernelStart& start) {
  if (rows > 0) check(launch_merge_kernel(args, rows, start), "start of attention merge");
}
void launch_selective(const SelectiveArgs& args, std::uint32_t chunks, std::uint32_t sequences,
                      const KernelStart& start) {
  if (sequences > 0) {
    check(launch_selective_kernels(args, chunks, sequences, start), "start of selective attention");
  }
}

}  // namespace micius
