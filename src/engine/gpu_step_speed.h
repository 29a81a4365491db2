// How fast the parts of a decode step are on a GPU, by its clock: what linear_speed.h and attention_speed.h
// are for the CPU. Weights, keys and values are random and in no cache; kernels start as one recording, as
// those of a model's steps do.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "engine/attention_speed.h"
#include "engine/device/device.h"
#include "engine/device/device_rows.h"
#include "engine/linear_speed.h"

namespace micius {

class GpuLinearBench {
 public:
  // Borrows the device. Holds each matrix as often as it takes for `least_bytes`, twice at least. dtype: what
  // quantize() writes; cols must be whole blocks of it, and a multiple of 4. Throws Error{kIo} if memory is
  // short.
  GpuLinearBench(Device& device, const std::vector<MatrixSize>& sizes, DType dtype,
                 std::size_t least_bytes = 256 << 20);

  // As LinearBench::run.
  std::vector<std::vector<double>> run(int repeats);

 private:
  struct Matrix {
    MatrixSize size;
    std::vector<DeviceArray<std::uint32_t>> copies;  // tiles
    std::unique_ptr<Recording> products;             // one with each copy
  };

  BlockedRows input(const MatrixSize& size);
  void add(const MatrixSize& size, DType dtype, std::size_t least_bytes);

  Device& device_;
  DeviceArray<float> x_, y_;
  DeviceRows rows_;  // x as a linear reads it
  std::vector<Matrix> matrices_;
};

// As AttentionBench::run, of these settings, without errors and reads of memory. Under KvMode::kConcat the
// context of a layer is copied and attended before that of the next one is; the copies are timed once more
// alone, and what is left of the whole is attention's. Throws Error{kUnsupported} for heads and dims that no
// kernel is built for and for a selection, Error{kIo} if memory is short.
AttentionResult gpu_attention(Device& device, const std::vector<AttentionShape>& settings,
                              const AttentionTest& test, int repeats);

}  // namespace micius
