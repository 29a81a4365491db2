// nvcc, and the programs that it and other compilers of the emulated host make.
#pragma once

#include "emu/host.h"

namespace micius::emu {

int run_nvcc(Host& host, const Args& args);

// `./a` of a compiled program: argv is the interpreter's name, the file, its words.
int run_gpu_app(Host& host, const Args& args);

inline constexpr std::size_t kMostSources = 256;  // of one call of a compiler

// The names of the kernels in CUDA or HIP source: what follows `__global__ void`.
std::vector<std::string> kernel_names(const std::string& source);

}  // namespace micius::emu
