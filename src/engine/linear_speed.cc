#include "engine/linear_speed.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <utility>

#include "engine/quant.h"
#include "engine/quantize.h"
#include "engine/speed_internal.h"

namespace micius {

std::vector<std::byte> random_matrix(const MatrixSize& size, DType dtype) {
  constexpr std::size_t kRandomRows = 16;  // what all rows are copies of
  Rng rng("linear bench");
  std::vector<std::byte> bytes(size.rows * row_bytes(dtype, size.cols));
  const std::size_t random_rows = std::min(kRandomRows, size.rows);
  const std::size_t random_bytes = random_rows * row_bytes(dtype, size.cols);
  quantize(dtype, random_values(random_rows * size.cols, rng), bytes.data());
  for (std::size_t at = random_bytes; at < bytes.size(); at += random_bytes) {
    std::memcpy(&bytes[at], bytes.data(), std::min(random_bytes, bytes.size() - at));
  }
  return bytes;
}

LinearBench::LinearBench(std::vector<MatrixSize> sizes, DType dtype, int threads, Isa isa,
                         std::size_t least_bytes)
    : sizes_(std::move(sizes)), pool_(thread_count(threads)), context_{isa, pool_, scratch_} {
  std::size_t bytes = 0;
  do {
    add_copy(dtype);
    for (const Linear& linear : copies_.back()) bytes += linear.bytes();
  } while (bytes < least_bytes);
}

void LinearBench::add_copy(DType dtype) {
  std::vector<Linear>& copy = copies_.emplace_back();
  for (const MatrixSize& size : sizes_) {
    const std::vector<std::byte> bytes = random_matrix(size, dtype);
    const LinearPart part{{dtype, size.rows, size.cols, bytes.data()}, {}};
    copy.emplace_back(std::span(&part, 1), Numerics::kPrecise, memory_, context_);
  }
}

std::vector<std::vector<double>> LinearBench::run(int repeats) {
  Rng rng("linear bench input");
  std::size_t widest = 0, tallest = 0;
  for (const MatrixSize& size : sizes_) {
    widest = std::max(widest, size.cols);
    tallest = std::max(tallest, size.rows);
  }
  const std::vector<float> x = random_values(widest, rng);
  std::vector<float> y(tallest);
  std::vector<std::vector<double>> seconds(sizes_.size());
  for (int repeat = -1; repeat < repeats; ++repeat) {
    std::vector<double> sums(sizes_.size());
    for (const std::vector<Linear>& copy : copies_) {
      for (std::size_t i = 0; i < copy.size(); ++i) {
        const auto start = std::chrono::steady_clock::now();
        copy[i].apply(std::span(x).first(sizes_[i].cols), std::span(y).first(sizes_[i].rows), context_);
        sums[i] += seconds_since(start);
      }
    }
    if (repeat < 0) continue;
    for (std::size_t i = 0; i < sums.size(); ++i) {
      seconds[i].push_back(sums[i] / static_cast<double>(copies_.size()));
    }
  }
  return seconds;
}

}  // namespace micius
