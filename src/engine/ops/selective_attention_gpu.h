// The kernels of selective V on a GPU. In a build without MICIUS_CUDA this throws
// Error{kUnsupported}, which says so.
#pragma once

#include <cstdint>

#include "engine/device/kernel_start.h"
#include "engine/ops/selective_attention.h"

namespace micius {

// Starts both kernels; what args point to must live until they have run. Throws Error{kIo} with what CUDA
// says, as where `top` or a sequence wants more shared memory than the GPU has (SelectShared).
void launch_selective(const SelectiveArgs& args, std::uint32_t chunks, std::uint32_t sequences,
                      const KernelStart& start);

}  // namespace micius
