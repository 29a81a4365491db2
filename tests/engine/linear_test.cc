#include "engine/ops/linear.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "engine/op_fixture.h"
#include "engine/reference_ops.h"

namespace micius {
namespace {

constexpr DType kTypes[] = {DType::kF32,  DType::kF16,  DType::kBF16, DType::kQ8_0,
                            DType::kQ4_0, DType::kQ4_1, DType::kQ5_0, DType::kQ5_1,
                            DType::kQ4_K, DType::kQ5_K, DType::kQ6_K};

// Root mean square of the error over that of the result.
double tolerance(Numerics numerics) {
  return numerics == Numerics::kFp32 ? 1e-6 : numerics == Numerics::kPrecise ? 1.5e-4 : 0.02;
}

std::vector<float> apply(const Linear& linear, std::span<const float> x, const OpContext& context) {
  std::vector<float> y(x.size() / linear.inputs() * linear.outputs(), -77.0F);
  linear.apply(x, y, context);
  return y;
}

double relative_error(const std::vector<float>& y, const std::vector<double>& expected) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < y.size(); ++i) {
    error += std::pow(static_cast<double>(y[i]) - expected[i], 2);
    size += expected[i] * expected[i];
  }
  return std::sqrt(error / size);
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size_bytes()) == 0;
}

TEST_CASE("linear agrees with the reference for every dtype, instruction set and numerics") {
  for (const DType dtype : kTypes) {
    const std::size_t cols = block_shape(dtype).values == 1 ? 72 : 512, rows = 37;
    const RandomMatrix w(dtype, rows, cols, "linear/w");
    std::vector<float> x = random_floats(5 * cols, "linear/x");
    for (std::size_t r = 0; r < 5; ++r) x[r * cols + 13] *= 40;  // an outlier channel
    const LinearPart part = w;
    const std::vector<double> expected = reference::linear({&part, 1}, x);
    for (const Numerics numerics : {Numerics::kFp32, Numerics::kPrecise, Numerics::kFast}) {
      std::vector<float> first;
      for (const Isa isa : usable_isas()) {
        INFO(dtype_name(dtype) << " " << isa_name(isa) << " numerics " << static_cast<int>(numerics));
        const OpFixture context(isa);
        Arena memory;
        const Linear linear({&part, 1}, numerics, memory, *context);
        const std::vector<float> y = apply(linear, x, *context);
        CHECK(relative_error(y, expected) < tolerance(numerics));
        if (first.empty()) first = y;
        CHECK(same_bits(first, y));  // whatever the instruction set
      }
    }
  }
}

TEST_CASE("a row's result does not depend on the other rows, the threads or the batch size") {
  const std::size_t cols = 256, rows = 150, most = 261;
  for (const DType dtype : {DType::kF32, DType::kBF16, DType::kQ4_1, DType::kQ8_0, DType::kQ6_K}) {
    const RandomMatrix w(dtype, rows, cols, "linear/batch");
    const LinearPart part = w;
    const std::vector<float> x = random_floats(most * cols, "linear/batch/x");
    for (const Isa isa : usable_isas()) {
      if (isa == Isa::kPlain) continue;  // one row at a time by construction
      for (const Numerics numerics : {Numerics::kPrecise, Numerics::kFast}) {
        const OpFixture two(isa, 2), three(isa, 3);
        Arena memory;
        const Linear linear({&part, 1}, numerics, memory, *two);
        const std::vector<float> all = apply(linear, x, *two);
        for (const std::size_t count : {1, 2, 3, 4, 5, 6, 7, 8, 13, 31, 64, 240, 256, 258, 261}) {
          INFO(dtype_name(dtype) << " " << isa_name(isa) << " " << static_cast<int>(numerics) << " rows "
                                 << count);
          const std::size_t first = most - count;
          const std::vector<float> y = apply(linear, std::span(x).subspan(first * cols), *three);
          CHECK(same_bits(y, std::span(all).subspan(first * rows)));
        }
      }
    }
  }
}

TEST_CASE("linear stacks matrices of different dtypes and reorders rows") {
  const std::size_t cols = 256;
  const RandomMatrix q(DType::kQ4_K, 32, cols, "stack/q"), k(DType::kQ8_0, 19, cols, "stack/k");
  const RandomMatrix v(DType::kQ6_K, 48, cols, "stack/v"), f(DType::kF16, 5, cols, "stack/f");
  const std::vector<LinearPart> parts = {{q.view(), half_split_order(2, 16)}, k, v, f};
  const std::vector<float> x = random_floats(9 * cols, "stack/x");
  const std::vector<double> expected = reference::linear(parts, x);
  for (const Isa isa : usable_isas()) {
    const OpFixture context(isa);
    Arena memory;
    const Linear linear(parts, Numerics::kPrecise, memory, *context);
    CHECK(linear.outputs() == 104);
    CHECK(relative_error(apply(linear, x, *context), expected) < tolerance(Numerics::kPrecise));
  }
}

TEST_CASE("rows are read back from packed weights as their file has them") {
  for (const DType dtype : kTypes) {
    const std::size_t cols = block_shape(dtype).values == 1 ? 72 : 512;
    const RandomMatrix a(dtype, 37, cols, "read/a"), b(dtype, 32, cols, "read/b");
    const std::vector<LinearPart> parts = {a, {b.view(), half_split_order(2, 16)}};
    std::vector<float> expected(69 * cols);
    for (std::size_t r = 0; r < 69; ++r) {
      const std::size_t row = r < 37 ? r : parts[1].row_order[r - 37];
      const std::byte* bytes = (r < 37 ? a : b).view().data + row * row_bytes(dtype, cols);
      dequantize(dtype, bytes, std::span(expected).subspan(r * cols, cols));
    }
    for (const Numerics numerics : {Numerics::kFp32, Numerics::kPrecise, Numerics::kFast}) {
      INFO(dtype_name(dtype) << " numerics " << static_cast<int>(numerics));
      const OpFixture context(Isa::kPlain);
      Arena memory;
      const Linear linear(parts, numerics, memory, *context);
      std::vector<float> read(69 * cols), again(2 * cols);
      std::vector<std::int32_t> rows(69);
      std::iota(rows.begin(), rows.end(), 0);
      linear.read_rows(rows, read, *context);
      CHECK(read == expected);
      linear.read_rows(std::vector<std::int32_t>{68, 3}, again, *context);
      CHECK(std::equal(again.begin(), again.begin() + cols, expected.begin() + 68 * cols));
      CHECK(std::equal(again.begin() + cols, again.end(), expected.begin() + 3 * cols));
    }
  }
}

TEST_CASE("rows of zeros, tiny and huge activations") {
  const std::size_t cols = 64;
  const RandomMatrix w(DType::kQ4_1, 16, cols, "extreme/w");
  const LinearPart part = w;
  std::vector<float> x(4 * cols, 0.0F);
  for (std::size_t k = 0; k < cols; ++k) {
    x[cols + k] = 1e-38F;
    x[2 * cols + k] = 1e30F;
    x[3 * cols + k] = k < 32 ? 1e-20F : 1e20F;
  }
  const std::vector<double> expected = reference::linear({&part, 1}, x);
  for (const Isa isa : usable_isas()) {
    const OpFixture context(isa);
    Arena memory;
    const Linear linear({&part, 1}, Numerics::kPrecise, memory, *context);
    const std::vector<float> y = apply(linear, x, *context);
    for (std::size_t i = 0; i < y.size(); ++i) {
      INFO(isa_name(isa) << " " << i);
      CHECK(std::abs(static_cast<double>(y[i]) - expected[i]) <= 1e-3 * std::abs(expected[i]) + 1e-30);
    }
  }
}

TEST_CASE("half_split_order undoes the interleaving of llama files") {
  // file row h * dim + 2 j + s holds the half-split row h * dim + s * dim / 2 + j
  CHECK(half_split_order(2, 4) == std::vector<std::uint32_t>{0, 2, 1, 3, 4, 6, 5, 7});
}

TEST_CASE("linear refuses parts that do not fit together") {
  const OpFixture context(Isa::kPlain);
  const RandomMatrix a(DType::kF32, 4, 32, "a"), b(DType::kF32, 4, 64, "b");
  const std::vector<LinearPart> widths = {a, b}, order = {{a.view(), {0, 1}}};
  Arena memory;
  CHECK_THROWS_AS(Linear(widths, Numerics::kFp32, memory, *context), Error);
  CHECK_THROWS_AS(Linear(order, Numerics::kFp32, memory, *context), Error);
}

}  // namespace
}  // namespace micius
