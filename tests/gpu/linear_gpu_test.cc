#include "engine/ops/linear_gpu.h"

#include <cmath>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/device/kernels.h"
#include "engine/op_fixture.h"
#include "engine/reference_ops.h"
#include "gpu/emulated_gpu.h"
#include "gpu/row_cases.h"

namespace micius {
namespace {

using emulation::EmulatedGpu;

// How float rows are split.
struct Inputs {
  std::size_t rows = 0;
  std::uint32_t planes = 2;
  RunOrder order = RunOrder::kByBlock;
};

// What the device makes of float rows.
BlockedRows split(Device& device, DeviceRows& room, std::span<const float> x, const Inputs& as) {
  BlockedRows rows = room.resize(device, static_cast<std::uint32_t>(as.rows),
                                 static_cast<std::uint32_t>(x.size() / as.rows), as.planes);
  rows.order = as.order;
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

// By what linear_launch() chooses and by the kernel of our own, which may be the same.
void check_linear(Device& gpu, std::span<const LinearPart> parts, const Inputs& of) {
  const std::size_t cols = parts.front().weights.cols;
  const std::vector<float> x = random_floats(of.rows * cols, fmt::format("x/{}/{}", of.rows, cols));
  const std::vector<double> expected = reference::linear(parts, x), sizes = product_sizes(parts, x);
  DeviceRows room;
  const BlockedRows inputs = split(gpu, room, x, of);
  const DeviceLinear linear(gpu, parts);
  INFO(dtype_name(parts.front().weights.dtype)
       << ", " << of.rows << " rows of " << cols << ", " << of.planes << " planes");
  for (const bool own : {false, true}) {
    const DeviceArray<float> y(gpu, expected.size());
    const LinearArgs args{.weights = linear.weights(), .x = inputs, .y = y.data()};
    gpu.launch(own ? Kernel(RowKernel(args)) : linear_launch(args));
    const std::vector<float> results = fetched(y);
    long wrong = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      wrong += std::abs(results[i] - expected[i]) <= tolerance(parts, of.planes) * sizes[i] + 1e-7 ? 0 : 1;
    }
    CHECK(wrong == 0);
    if (!has_products(args)) return;
  }
}

TEST_CASE("a GPU's linears agree with fp64 for every format, few rows and many") {
  for (const auto& gpu : all_devices()) {
    for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ8_0, DType::kBF16}) {
      const RandomMatrix w(dtype, 37, 96, "w");
      const LinearPart parts[] = {w};
      for (const std::size_t rows : {1, 9, 70}) check_linear(*gpu, parts, {rows, rows == 9 ? 1U : 2U});
    }
    for (const DType dtype : {DType::kF32, DType::kF16, DType::kQ5_0, DType::kQ5_1}) {
      const RandomMatrix w(dtype, 20, 64, "w");
      const LinearPart parts[] = {w};
      check_linear(*gpu, parts, {3});
    }
    for (const DType dtype : {DType::kQ4_K, DType::kQ5_K, DType::kQ6_K}) {
      const RandomMatrix w(dtype, 16, 256, "w");
      const LinearPart parts[] = {w};
      check_linear(*gpu, parts, {2});
    }
  }
}

TEST_CASE("products of whole rows agree with fp64, by a matrix library's contract and by own kernels") {
  struct Size {
    std::size_t outputs, inputs, rows;
  };
  for (const auto& gpu : all_devices()) {
    for (const auto& [outputs, inputs, rows] : {Size{16, 64, 65}, Size{1, 4, 1}, Size{37, 100, 70},
                                                Size{130, 64, 8}, Size{15, 132, 33}, Size{33, 256, 129}}) {
      const RandomMatrix w(DType::kBF16, outputs, inputs, "w");
      const LinearPart parts[] = {w};
      for (const std::uint32_t planes : {1U, 2U}) check_linear(*gpu, parts, {rows, planes, RunOrder::kByRow});
    }
    const RandomMatrix rounded(DType::kF32, 20, 64, "rounded"), q(DType::kQ8_0, 16, 64, "q");
    const LinearPart one[] = {rounded}, mixed[] = {{q.view(), half_split_order(2, 8)}, rounded}, own[] = {q};
    check_linear(*gpu, one, {66, 2, RunOrder::kByRow});
    check_linear(*gpu, mixed, {66, 2, RunOrder::kByRow});
    check_linear(*gpu, own, {9, 2, RunOrder::kByRow});  // beside a linear whose inputs it shares
    check_linear(*gpu, own, {66, 1, RunOrder::kByRow});
  }
}

TEST_CASE("many rows of dense weights are a matrix library's, but where logits are summed up") {
  TiledWeights dense, codes;
  codes.format = TileFormat::kQ4_0;
  CHECK(run_order(dense, 64) == RunOrder::kByBlock);
  CHECK(run_order(dense, 65) == RunOrder::kByRow);
  CHECK(run_order(codes, 65) == RunOrder::kByBlock);
  LinearArgs args;
  args.weights = dense;
  CHECK(std::holds_alternative<RowKernel>(linear_launch(args)));
  args.x.order = RunOrder::kByRow;
  CHECK(std::holds_alternative<DenseLaunch>(linear_launch(args)));
  args.weights = codes;
  CHECK(std::holds_alternative<RowKernel>(linear_launch(args)));
  args.weights = dense;
  args.result = LinearResult::kSummaries;
  CHECK(std::holds_alternative<RowKernel>(linear_launch(args)));
}

TEST_CASE("a GPU's linears share many columns among warps") {
  for (const auto& gpu : all_devices()) {
    const RandomMatrix w(DType::kQ4_1, 16, 64 * 11, "wide"), dense(DType::kBF16, 130, 64 * 3, "tall");
    const LinearPart parts[] = {w}, tall[] = {dense};
    check_linear(*gpu, parts, {5});
    check_linear(*gpu, parts, {20});
    check_linear(*gpu, tall, {65});
  }
}

TEST_CASE("a GPU's linears stack parts of several formats and orders") {
  for (const auto& gpu : all_devices()) {
    const RandomMatrix q(DType::kQ8_0, 16, 64, "q"), k(DType::kQ8_0, 8, 64, "k"), v(DType::kBF16, 9, 64, "v");
    const LinearPart same[] = {{q.view(), half_split_order(2, 8)}, k};
    CHECK(tile_format(same) == TileFormat::kQ8_0);
    check_linear(*gpu, same, {4});
    const LinearPart mixed[] = {{q.view(), half_split_order(2, 8)}, k, v};
    CHECK(tile_format(mixed) == TileFormat::kBF16);
    check_linear(*gpu, mixed, {4});
    const RandomMatrix narrow(DType::kBF16, 8, 32, "narrow");
    const LinearPart uneven[] = {q, narrow};
    ThreadPool pool(1);
    CHECK_THROWS_WITH(pack_tiles(uneven, TileFormat::kBF16, pool),
                      Catch::Matchers::Contains("32 and 64 columns"));
  }
}

// One with a bias that is added to what is there.
void check_added(Device& gpu, DType dtype, const Inputs& of) {
  const RandomMatrix w(dtype, 20, 64, "w");
  const LinearPart parts[] = {w};
  const std::vector<float> x = random_floats(of.rows * 64, "x"), bias = random_floats(20, "bias"),
                           before = random_floats(of.rows * 20, "y");
  const std::vector<double> expected = reference::linear(parts, x);
  DeviceRows room;
  const BlockedRows inputs = split(gpu, room, x, of);
  const DeviceLinear linear(gpu, parts);
  const DeviceArray<float> biases(gpu, bias);
  for (const LinearResult result : {LinearResult::kStore, LinearResult::kAdd}) {
    const DeviceArray<float> y(gpu, before);
    gpu.launch(linear_launch(
        {.weights = linear.weights(), .x = inputs, .bias = biases.data(), .result = result, .y = y.data()}));
    const std::vector<float> results = fetched(y);
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const float there = result == LinearResult::kAdd ? before[i] : 0;
      CHECK(results[i] == Approx(there + expected[i] + bias[i % 20]).margin(1e-4));
    }
  }
}

TEST_CASE("a GPU's linears add biases, and to a residual stream") {
  for (const auto& gpu : all_devices()) {
    check_added(*gpu, DType::kQ4_0, {3});
    check_added(*gpu, DType::kBF16, {3});
    check_added(*gpu, DType::kBF16, {3, 2, RunOrder::kByRow});
  }
}

TEST_CASE("a linear of a GPU whose weights are too short is faulted") {
  const RandomMatrix w(DType::kQ8_0, 16, 64, "w");
  const LinearPart parts[] = {w};
  EmulatedGpu gpu;
  DeviceRows room;
  const std::vector<float> x(64);
  const BlockedRows inputs = split(gpu, room, x, {1});
  const DeviceLinear linear(gpu, parts);
  const DeviceArray<float> y(gpu, 32);
  TiledWeights weights = linear.weights();
  weights.outputs = 32;
  CHECK_THROWS_WITH(gpu.launch(LinearArgs{.weights = weights, .x = inputs, .y = y.data()}),
                    Catch::Matchers::Contains("of global memory out of bounds"));
}

TEST_CASE("a product that reads or writes out of bounds is faulted") {
  const RandomMatrix w(DType::kBF16, 16, 64, "w");
  const LinearPart parts[] = {w};
  EmulatedGpu gpu;
  DeviceRows room;
  const std::vector<float> x(8 * 64);
  const BlockedRows inputs = split(gpu, room, x, {8, 2, RunOrder::kByRow});
  const DeviceLinear linear(gpu, parts);
  const DeviceArray<float> y(gpu, 8 * 16);
  const LinearArgs args{.weights = linear.weights(), .x = inputs, .y = y.data()};
  CHECK_NOTHROW(gpu.launch(DenseLaunch{args}));
  const auto check_fault = [&](LinearArgs wrong) {
    CHECK_THROWS_WITH(gpu.launch(DenseLaunch{wrong}),
                      Catch::Matchers::Contains("of global memory out of bounds"));
  };
  LinearArgs long_weights = args, more_rows = args, small_y = args;
  long_weights.weights.inputs = 128;
  more_rows.x.rows = 16;
  small_y.y = y.data() + 4;
  check_fault(long_weights);
  check_fault(more_rows);
  check_fault(small_y);
}

TEST_CASE("an order of too few rows is refused before it is read") {
  const RandomMatrix matrix(DType::kBF16, 16, 64, "order");
  const LinearPart parts[] = {{matrix.view(), {0, 1, 2}}};
  ThreadPool pool(1);
  CHECK_THROWS_WITH(pack_tiles(parts, TileFormat::kBF16, pool), "a matrix of 16 rows has an order of 3 rows");
}

}  // namespace
}  // namespace micius
