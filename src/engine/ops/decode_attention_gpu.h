// The kernel of decode attention on a GPU. What is behind it is CUDA in a build with MICIUS_CUDA; in
// another all of it throws Error{kUnsupported}, which says so.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "engine/ops/decode_attention.h"

namespace micius {

// The figures of a GPU that tunings come from, and its name.
struct GpuFigures {
  std::uint32_t multiprocessors = 0;
  std::uint32_t shared_bytes = 0;  // of a block at most
  bool bulk = false;               // has bulk copies (sm_90)
  // That are read from memory in the time that one more kernel of a step takes, 2 to 3 us.
  std::uint64_t launch_bytes = 8 << 20;
  std::string name;
  std::optional<std::string> matrix_library = {};  // that a device has for dense weights, with its version
};
// Of the GPU with CUDA's index, which becomes the current one.
GpuFigures gpu_figures(int index);

// One step, with all that it needs copied to the GPU and back; poison lies where results come. For tests.
// Throws Error{kIo} with what CUDA says.
DecodeResults decode_on_gpu(const DecodeInputs& inputs, const DecodeTuning& tuning);

// Starts the kernel on a stream (a cudaStream_t). Grid and shared memory follow from args.
void launch_decode(const DecodeArgs& args, std::uint32_t blocks, void* stream);

}  // namespace micius
