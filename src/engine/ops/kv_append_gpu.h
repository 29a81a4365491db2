// The kernels that store and copy keys and values. In a build without MICIUS_CUDA both throw
// Error{kUnsupported}, which says so.
#pragma once

#include <cstdint>

#include "engine/device/kernel_start.h"
#include "engine/ops/kv_append.h"

namespace micius {

// Start a kernel; what args point to must live until it has run. Of 0 tokens or copies nothing is started.
// Throw Error{kIo} with what CUDA says.
void launch_kv_append(const KvAppendArgs& args, std::uint32_t tokens, const KernelStart& start);
void launch_kv_copy(const KvCopyArgs& args, std::uint32_t copies, const KernelStart& start);

}  // namespace micius
