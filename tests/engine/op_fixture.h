// Random operands and contexts for op tests.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "base/rng.h"
#include "engine/ops/linear.h"
#include "engine/quant.h"

namespace micius {

// A context of its own for one test.
class OpFixture {
 public:
  explicit OpFixture(Isa isa, int threads = 2) : pool_(threads), context_{isa, pool_, scratch_} {}
  const OpContext& operator*() const { return context_; }

 private:
  ThreadPool pool_;
  Scratch scratch_;
  OpContext context_;
};

// Sums of four uniform numbers: about normal, in (-2, 2), variance 1/3.
inline std::vector<float> random_floats(std::size_t n, const std::string& stream) {
  Rng rng(stream);
  std::vector<float> values(n);
  for (float& value : values) {
    value = static_cast<float>(rng.uniform() + rng.uniform() + rng.uniform() + rng.uniform() - 2);
  }
  return values;
}

// A matrix in a file's bytes: any codes, scales of about 0.01.
class RandomMatrix {
 public:
  RandomMatrix(DType dtype, std::size_t rows, std::size_t cols, const std::string& stream)
      : bytes_(rows * row_bytes(dtype, cols)), view_{dtype, rows, cols, bytes_.data()} {
    Rng rng(stream);
    for (std::byte& byte : bytes_) byte = static_cast<std::byte>(rng.below(256));
    const BlockShape shape = block_shape(dtype);
    for (std::size_t at = 0; at < bytes_.size(); at += shape.bytes) set_scales(dtype, &bytes_[at], rng);
  }
  const MatrixView& view() const { return view_; }
  operator LinearPart() const { return {view_, {}}; }

 private:
  static void put_half(std::byte* at, double value) {
    const std::uint16_t half = f32_to_f16(static_cast<float>(value));
    std::memcpy(at, &half, 2);
  }
  static void set_scales(DType dtype, std::byte* block, Rng& rng) {
    const double value =
        rng.below(50) == 0 ? 0 : 0.02 * (rng.uniform() - 0.5);  // a block of zeros now and then
    switch (dtype) {
      case DType::kF32: {
        const auto number = static_cast<float>(value);
        std::memcpy(block, &number, 4);
        return;
      }
      case DType::kBF16: {
        const auto number = static_cast<float>(value);
        std::memcpy(block, reinterpret_cast<const std::byte*>(&number) + 2, 2);
        return;
      }
      case DType::kQ6_K:
        return put_half(block + 208, value / 128);
      case DType::kQ4_K:
      case DType::kQ5_K:
        put_half(block, value / 64);
        return put_half(block + 2, value / 16);
      case DType::kQ4_1:
      case DType::kQ5_1:
        put_half(block + 2, -8 * value);
        [[fallthrough]];
      default:
        return put_half(block, value);
    }
  }

  std::vector<std::byte> bytes_;
  MatrixView view_;
};

}  // namespace micius
