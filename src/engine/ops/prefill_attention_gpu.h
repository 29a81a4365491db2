// The kernels of prefill attention and of its merge on a GPU. In a build without MICIUS_CUDA both
// throw Error{kUnsupported}, which says so.
#pragma once

#include <cstdint>

#include "engine/device/kernel_start.h"
#include "engine/ops/attention_merge.h"
#include "engine/ops/prefill_attention.h"

namespace micius {

// Start a kernel; what args point to must live until it has run. Of 0 blocks or rows nothing is started.
// Throw Error{kIo} with what CUDA says. blocks: the plan's.
void launch_prefill(const PrefillArgs& args, std::uint32_t blocks, const KernelStart& start);
void launch_merge(const AttentionMergeArgs& args, std::uint32_t rows, const KernelStart& start);

}  // namespace micius
