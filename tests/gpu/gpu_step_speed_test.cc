// The benches of a decode step's parts on the emulated GPU: what they start and time.
#include "engine/gpu_step_speed.h"

#include <algorithm>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "gpu/emulated_gpu.h"

namespace micius {
namespace {

using emulation::EmulatedGpu;

bool all_positive(const std::vector<double>& values) {
  return std::all_of(values.begin(), values.end(), [](double value) { return value > 0; });
}

TEST_CASE("the GPU's bench of linears times every matrix in every repeat, of several copies") {
  for (const DType dtype : {DType::kQ4_1, DType::kQ8_0, DType::kBF16}) {
    EmulatedGpu device;
    GpuLinearBench bench(device, {{96, 64}, {8, 32}, {50, 128}}, dtype, 1 << 14);
    const std::size_t held = device.allocated(), before = device.launches();
    CHECK(held > 3 << 14);
    const std::vector<std::vector<double>> seconds = bench.run(2);
    REQUIRE(seconds.size() == 3);
    for (const std::vector<double>& repeats : seconds) {
      CHECK(repeats.size() == 2);
      CHECK(all_positive(repeats));
    }
    CHECK(device.launches() - before >= 3 * 3 * 5);  // rounds, matrices, its input and two copies twice
    CHECK(device.allocated() == held);
  }
}

TEST_CASE("the GPU's bench of attention runs every layer, in place and copied") {
  const std::vector<AttentionShape> settings{{4, 2, 2, 16, 16, 0.25F}, {4, 1, 2, 16, 16, 0.25F}};
  for (const KvMode mode : {KvMode::kAppend, KvMode::kConcat}) {
    EmulatedGpu device;
    const AttentionTest test{.context = 70, .batch = 2, .layers = 3, .mode = mode};
    GpuAttentionBench bench(device, settings, 1 << 14);
    CHECK(bench.read_bytes() == 1 << 14);
    const std::size_t held = device.allocated();
    const AttentionResult result = bench.run(test, 2);
    CHECK(result.layers == 3);
    REQUIRE(result.settings.size() == 2);
    for (const AttentionTimes& times : result.settings) {
      CHECK(times.attention.size() == 2);
      REQUIRE(times.copy.size() == 2);
      if (mode == KvMode::kConcat) CHECK(all_positive(times.copy));
      if (mode == KvMode::kAppend) CHECK(times.copy == std::vector<double>(2));
      if (mode == KvMode::kAppend) CHECK(all_positive(times.attention));
    }
    CHECK(result.read.size() == 2);
    CHECK(all_positive(result.read));
    // Of two settings, three steps of three layers, each behind one that is not timed: append and attend;
    // where it is copied that too, and once more alone. Two plain reads likewise.
    CHECK(device.launches() == 2 * 3 * 3 * 2 * (mode == KvMode::kAppend ? 2 : 4) + 2 * 2);
    CHECK(device.allocated() == held);
  }
}

TEST_CASE("the GPU's bench of attention starts the kernel alone, with the tuning that it is given") {
  EmulatedGpu device;
  GpuAttentionBench bench(device, {{4, 2, 2, 16, 16, 0.25F}}, 1 << 10);
  const AttentionTest test{.context = 40, .batch = 1, .layers = 2};
  const DecodeTuning tuning{.blocks = 1, .warps = 1, .parts = 1, .stages = 2};
  const AttentionResult result = bench.run(test, 1, GpuStep::kAttention, tuning);
  CHECK(all_positive(result.settings.front().attention));
  CHECK(device.launches_of<AppendLaunch>() == 0);
  CHECK(device.launches_of<DecodeLaunch>() == 2 * 2 * 2);
}

TEST_CASE("the GPU's bench of attention refuses what no kernel does") {
  EmulatedGpu device;
  const auto run = [&](const AttentionShape& shape, const AttentionTest& test) {
    GpuAttentionBench(device, {shape}, 1 << 10).run(test, 1);
  };
  const AttentionShape shape{4, 2, 2, 16, 16, 0.25F}, wide{4, 2, 2, 16, 256, 0.25F};
  using Catch::Matchers::Contains;
  CHECK_THROWS_WITH(run(wide, {.context = 3, .layers = 2}), Contains("at most 128"));
  CHECK_THROWS_WITH(run(shape, {.context = 3, .layers = 2, .selection = {.top = 2}}),
                    Contains("selective V"));
  CHECK_THROWS_WITH(run(shape, {.context = 3, .batch = 0}), Contains("0 sequences of 3 tokens"));
  CHECK_THROWS_WITH(run(shape, {.context = 1 << 20, .batch = 16}),
                    Contains("16 sequences of 1048576 tokens"));
}

}  // namespace
}  // namespace micius
