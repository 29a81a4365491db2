// How fast the parts of a decode step are on a GPU, by its clock: what LinearBench and AttentionBench
// are for the CPU. Weights, keys and values are random and in no cache; kernels start as one recording, as
// those of a model's steps do.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
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

// What of a step is started.
enum class GpuStep {
  kWhole,      // as AttentionBench: the new token's keys and values stored, and attended
  kAttention,  // attended alone
};

class GpuAttentionBench {
 public:
  // Borrows the device. read_bytes: of the plain read, a multiple of 16. Throws Error{kIo} if memory is
  // short.
  GpuAttentionBench(Device& device, std::vector<AttentionShape> settings,
                    std::size_t read_bytes = std::size_t{1} << 30);

  Device& device() const { return device_; }
  const std::vector<AttentionShape>& settings() const { return settings_; }
  std::size_t read_bytes() const { return read_.size() * sizeof(std::uint32_t); }
  // As AttentionBench::run, without errors. test.layers of 0: also at least as many as a model has, so that
  // what starts a graph does not count, but of 8 GB at most. Under KvMode::kConcat the context of a layer is
  // copied and attended before that of the next one is; the copies are timed once more alone, and what is
  // left of the whole is attention's. tuning: absent for that of forward passes. Throws Error{kUnsupported}
  // for heads and dims that no kernel is built for and for a selection, Error{kUsage} for a batch of 0 or
  // sizes out of all reason, Error{kIo} if memory is short.
  AttentionResult run(const AttentionTest& test, int repeats, GpuStep step = GpuStep::kWhole,
                      const std::optional<DecodeTuning>& tuning = {});

 private:
  Device& device_;
  std::vector<AttentionShape> settings_;
  DeviceArray<std::uint32_t> read_, sum_;
  std::unique_ptr<Recording> reading_;
};

}  // namespace micius
