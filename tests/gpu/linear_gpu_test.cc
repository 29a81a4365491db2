#include "engine/ops/linear_gpu.h"

#include <cmath>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/op_fixture.h"
#include "engine/reference_ops.h"
#include "gpu/emulated_gpu.h"
#include "gpu/row_cases.h"

namespace micius {
namespace {

using emulation::EmulatedGpu;

// What the device makes of float rows.
BlockedRows split(Device& device, DeviceRows& room, std::span<const float> x, std::size_t width,
                  std::uint32_t planes) {
  const BlockedRows rows = room.resize(device, static_cast<std::uint32_t>(x.size() / width),
                                       static_cast<std::uint32_t>(width), planes);
  const DeviceArray<float> values(device, x);
  device.launch(SplitKernel{values.data(), rows});
  return rows;
}

std::vector<float> magnitudes(std::span<const float> values) {
  std::vector<float> sizes;
  for (const float value : values) sizes.push_back(std::abs(value));
  return sizes;
}

// For each result, the sum of its products' sizes.
std::vector<double> product_sizes(std::span<const LinearPart> parts, std::span<const float> x) {
  std::vector<std::vector<float>> widened;
  std::vector<LinearPart> sizes;
  for (const LinearPart& part : parts) {
    const MatrixView& view = part.weights;
    std::vector<float> values(view.rows * view.cols);
    dequantize(view.dtype, view.data, values);
    widened.push_back(magnitudes(values));
    sizes.push_back(
        {{DType::kF32, view.rows, view.cols, reinterpret_cast<const std::byte*>(widened.back().data())},
         part.row_order});
  }
  return reference::linear(sizes, magnitudes(x));
}

// Of a sum of products, relative to their sizes: inputs have 16 bits in two planes, 8 in one; weights 8 where
// their format is not the device's.
double tolerance(std::span<const LinearPart> parts, std::uint32_t planes) {
  const bool exact = tile_format(parts) != TileFormat::kBF16 || parts.front().weights.dtype == DType::kBF16;
  return (exact ? 0 : 0x1p-9) + (planes == 2 ? 0x1p-16 : 0x1p-9) + 0x1p-18;
}

void check_linear(Device& gpu, std::span<const LinearPart> parts, std::size_t rows, std::uint32_t planes) {
  const std::size_t cols = parts.front().weights.cols;
  const std::vector<float> x = random_floats(rows * cols, fmt::format("x/{}/{}", rows, cols));
  const std::vector<double> expected = reference::linear(parts, x), sizes = product_sizes(parts, x);
  DeviceRows room;
  const BlockedRows inputs = split(gpu, room, x, cols, planes);
  const DeviceLinear linear(gpu, parts);
  const DeviceArray<float> y(gpu, expected.size());
  gpu.launch(LinearArgs{.weights = linear.weights(), .x = inputs, .y = y.data()});
  const std::vector<float> results = fetched(y);
  long wrong = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    wrong += std::abs(results[i] - expected[i]) <= tolerance(parts, planes) * sizes[i] + 1e-7 ? 0 : 1;
  }
  INFO(dtype_name(parts.front().weights.dtype)
       << ", " << rows << " rows of " << cols << ", " << planes << " planes");
  CHECK(wrong == 0);
}

TEST_CASE("a GPU's linears agree with fp64 for every format, few rows and many") {
  for (const auto& gpu : all_devices()) {
    for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ8_0, DType::kBF16}) {
      const RandomMatrix w(dtype, 37, 96, "w");
      const LinearPart parts[] = {w};
      for (const std::size_t rows : {1, 9, 70}) check_linear(*gpu, parts, rows, rows == 9 ? 1 : 2);
    }
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ5_0, DType::kQ5_1}) {
      const RandomMatrix w(dtype, 20, 64, "w");
      const LinearPart parts[] = {w};
      check_linear(*gpu, parts, 3, 2);
    }
    for (const DType dtype : {DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
      const RandomMatrix w(dtype, 16, 256, "w");
      const LinearPart parts[] = {w};
      check_linear(*gpu, parts, 2, 2);
    }
  }
}

TEST_CASE("a GPU's linears share many columns among warps") {
  for (const auto& gpu : all_devices()) {
    const RandomMatrix w(DType::kQ4_1, 16, 64 * 11, "wide"), dense(DType::kBF16, 130, 64 * 3, "tall");
    const LinearPart parts[] = {w}, tall[] = {dense};
    check_linear(*gpu, parts, 5, 2);
    check_linear(*gpu, parts, 20, 2);
    check_linear(*gpu, tall, 65, 2);
  }
}

TEST_CASE("a GPU's linears stack parts of several formats and orders") {
  for (const auto& gpu : all_devices()) {
    const RandomMatrix q(DType::kQ8_0, 16, 64, "q"), k(DType::kQ8_0, 8, 64, "k"), v(DType::kBF16, 9, 64, "v");
    const LinearPart same[] = {{q.view(), half_split_order(2, 8)}, k};
    CHECK(tile_format(same) == TileFormat::kQ8_0);
    check_linear(*gpu, same, 4, 2);
    const LinearPart mixed[] = {{q.view(), half_split_order(2, 8)}, k, v};
    CHECK(tile_format(mixed) == TileFormat::kBF16);
    check_linear(*gpu, mixed, 4, 2);
    const RandomMatrix narrow(DType::kBF16, 8, 32, "narrow");
    const LinearPart uneven[] = {q, narrow};
    ThreadPool pool(1);
    CHECK_THROWS_WITH(pack_tiles(uneven, TileFormat::kBF16, pool),
                      Catch::Matchers::Contains("32 and 64 columns"));
  }
}

TEST_CASE("a GPU's linears add biases, and to a residual stream") {
  const RandomMatrix w(DType::kQ4_0, 20, 64, "w");
  const LinearPart parts[] = {w};
  const std::vector<float> x = random_floats(3 * 64, "x"), bias = random_floats(20, "bias"),
                           before = random_floats(3 * 20, "y");
  const std::vector<double> expected = reference::linear(parts, x);
  for (const auto& gpu : all_devices()) {
    DeviceRows room;
    const BlockedRows inputs = split(*gpu, room, x, 64, 2);
    const DeviceLinear linear(*gpu, parts);
    const DeviceArray<float> biases(*gpu, bias), y(*gpu, before);
    gpu->launch(LinearArgs{.weights = linear.weights(),
                           .x = inputs,
                           .bias = biases.data(),
                           .result = LinearResult::kAdd,
                           .y = y.data()});
    const std::vector<float> results = fetched(y);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(results[i] == Approx(before[i] + expected[i] + bias[i % 20]).margin(1e-4));
    }
  }
}

TEST_CASE("a linear of a GPU whose weights are too short is faulted") {
  const RandomMatrix w(DType::kQ8_0, 16, 64, "w");
  const LinearPart parts[] = {w};
  EmulatedGpu gpu;
  DeviceRows room;
  const std::vector<float> x(64);
  const BlockedRows inputs = split(gpu, room, x, 64, 2);
  const DeviceLinear linear(gpu, parts);
  const DeviceArray<float> y(gpu, 32);
  TiledWeights weights = linear.weights();
  weights.outputs = 32;
  CHECK_THROWS_WITH(gpu.launch(LinearArgs{.weights = weights, .x = inputs, .y = y.data()}),
                    Catch::Matchers::Contains("of global memory out of bounds"));
}

TEST_CASE("an order of too few rows is refused before it is read") {
  const RandomMatrix matrix(DType::kBF16, 16, 64, "order");
  const LinearPart parts[] = {{matrix.view(), {0, 1, 2}}};
  ThreadPool pool(1);
  CHECK_THROWS_WITH(pack_tiles(parts, TileFormat::kBF16, pool), "a matrix of 16 rows has an order of 3 rows");
}

}  // namespace
}  // namespace micius
