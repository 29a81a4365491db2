// Where and when a kernel of a GPU is started.
#pragma once

namespace micius {

struct KernelStart {
  void* stream = nullptr;  // a cudaStream_t, borrowed
  bool overlap = false;    // while the kernel before it in the stream ends (sm_90)
};

}  // namespace micius
