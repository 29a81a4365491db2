// The library that multiplies dense matrices on a GPU, where this machine has it: cuBLASLt.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "engine/ops/dense_product.h"

namespace micius {

// For one GPU and one thread at a time. All calls are to be made while that GPU is the current one.
class MatrixLibrary {
 public:
  // Null where the library is not on this machine, or does not work with its driver. What products need of
  // the GPU's memory, 32 MB, is taken here: throws Error{kIo} where there is not so much.
  static std::unique_ptr<MatrixLibrary> open();
  virtual ~MatrixLibrary() = default;

  virtual std::string name() const = 0;  // "cuBLASLt 13.1.0"
  // Starts them on the stream (a cudaStream_t), one after the other; it may be being captured. False, and
  // none is started, where the library has no algorithm for one of them. Throws Error{kIo} with what it says
  // is wrong.
  [[nodiscard]] virtual bool start(std::span<const MatrixProduct> products, void* stream) = 0;
};

}  // namespace micius
