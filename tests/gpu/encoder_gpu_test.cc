#include "engine/ops/encoder_gpu.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include <catch2/catch.hpp>

#include "engine/op_fixture.h"
#include "engine/ops/elementwise.h"
#include "engine/reference_ops.h"
#include "gpu/kernel_run.h"
#include "gpu/row_cases.h"

namespace micius {
namespace {

// Less than a warp's columns, no multiple of 32, and more than a block's threads have at a time.
constexpr std::uint32_t kWidths[] = {4, 36, 132, 384, 1100};

TEST_CASE("a GPU adds rows of two tables") {
  const std::vector<std::int32_t> ids{4, 0, 4}, places{0, 1, 2};
  for (const std::uint32_t width : kWidths) {
    const std::vector<float> words = random_floats(5 * std::size_t{width}, "words"),
                             positions = random_floats(3 * std::size_t{width}, "positions");
    std::vector<float> expected;
    for (std::size_t i = 0; i < ids.size() * width; ++i) {
      const auto row = static_cast<std::size_t>(ids[i / width]);
      expected.push_back(words[row * width + i % width] + positions[i]);
    }
    for (const auto& gpu : all_devices()) {
      const DeviceArray<float> table(*gpu, words), other(*gpu, positions), out(*gpu, expected.size());
      const DeviceArray<std::int32_t> rows(*gpu, ids), added(*gpu, places);
      gpu->launch(GatherSumKernel{.table = table.data(),
                                  .other = other.data(),
                                  .ids = rows.data(),
                                  .added = added.data(),
                                  .out = out.data(),
                                  .rows = 3,
                                  .width = width});
      CHECK(fetched(out) == expected);
    }
  }
}

TEST_CASE("a GPU's LayerNorm agrees with fp64, also far from 0") {
  for (const std::uint32_t width : kWidths) {
    std::vector<float> x = random_floats(3 * std::size_t{width}, "x");
    for (std::size_t i = width; i < 2 * std::size_t{width}; ++i) x[i] += 30;
    const std::vector<float> weight = random_floats(width, "weight"), bias = random_floats(width, "bias");
    const std::vector<double> expected = reference::layer_norm(x, weight, bias, 1e-12);
    for (const auto& gpu : all_devices()) {
      const DeviceArray<float> values(*gpu, x), weights(*gpu, weight), biases(*gpu, bias);
      DeviceRows room;
      const BlockedRows rows = room.resize(*gpu, 3, width, 2);
      gpu->launch(LayerNormKernel{.x = values.data(),
                                  .weight = weights.data(),
                                  .bias = biases.data(),
                                  .out = rows,
                                  .epsilon = 1e-12F});
      check_near(fetched(values), expected, 3e-5);
      check_near(joined(*gpu, rows), expected, 5e-5);
    }
  }
}

TEST_CASE("a GPU's GELU agrees with fp64") {
  for (const std::uint32_t width : kWidths) {
    std::vector<float> x = random_floats(2 * std::size_t{width}, "x");
    for (float& value : x) value *= 4;
    x[0] = 200;
    x[1] = -200;
    const std::vector<float> no_bias(width);
    for (const auto& gpu : all_devices()) {
      const DeviceArray<float> values(*gpu, x);
      DeviceRows room;
      const BlockedRows rows = room.resize(*gpu, 2, width, 2);
      gpu->launch(GeluKernel{values.data(), rows});
      check_near(joined(*gpu, rows), reference::gelu(x, no_bias), 2e-5);
    }
  }
}

TEST_CASE("a GPU's unit means are the CPU's: of one row and of 512, of zeros and of what is no number") {
  for (const std::uint32_t width : kWidths) {
    const std::vector<std::uint32_t> first{0, 1, 513, 515, 518};
    std::vector<float> x = random_floats(518 * std::size_t{width}, "x");
    std::fill(x.begin() + 513 * width, x.begin() + 515 * width, 0.0F);
    x[515 * width] = NAN;
    std::vector<float> expected(4 * std::size_t{width});
    unit_means(x, std::vector<std::size_t>{1, 512, 2, 3}, width, expected);
    expected.resize(3 * std::size_t{width});
    for (const auto& gpu : all_devices()) {
      const DeviceArray<float> values(*gpu, x), out(*gpu, 4 * std::size_t{width});
      const DeviceArray<std::uint32_t> runs(*gpu, first);
      gpu->launch(UnitMeansKernel{values.data(), runs.data(), out.data(), 4, width});
      const std::vector<float> means = fetched(out);
      check_near(std::span(means).first(expected.size()), expected, 2e-6);
      CHECK(std::isnan(means[expected.size()]));
    }
  }
}

struct WithoutBarrier : emulation::EmulatedLanes {
  explicit WithoutBarrier(const EmulatedLanes& lanes) : EmulatedLanes(lanes) {}
  void sync_block() {}
};

TEST_CASE("LayerNorm without its barriers is faulted for a race") {
  std::vector<float> x = random_floats(256, "x");
  const std::vector<float> weight(256, 1), bias(256, 0);
  std::vector<std::uint32_t> values(2 * BlockedRows::blocks(256) * 8 * BlockedRows::kWords);
  std::vector<float> sums(BlockedRows::blocks(256) * 8);
  KernelRun run;
  const LayerNormKernel kernel{.x = run.out(x),
                               .weight = run.in(weight),
                               .bias = run.in(bias),
                               .out = {run.out(values), run.out(sums), 1, 256, 2, 8}};
  const LaunchShape shape = kernel.shape();
  const emulation::Grid grid{shape.blocks, shape.threads, shape.shared_bytes};
  run.start(grid, [&](emulation::EmulatedLanes& lanes) { kernel(lanes); });
  const auto race = [&](emulation::EmulatedLanes& lanes) {
    WithoutBarrier wrong(lanes);
    kernel(wrong);
  };
  CHECK_THROWS_WITH(run.start(grid, race), Catch::Matchers::Contains("race: thread") ||
                                               Catch::Matchers::Contains("which nobody has written"));
}

}  // namespace
}  // namespace micius
