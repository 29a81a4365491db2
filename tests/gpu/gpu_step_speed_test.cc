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
    const AttentionResult result = gpu_attention(device, settings, test, 2);
    CHECK(result.layers == 3);
    REQUIRE(result.settings.size() == 2);
    for (const AttentionTimes& times : result.settings) {
      CHECK(times.attention.size() == 2);
      REQUIRE(times.copy.size() == 2);
      if (mode == KvMode::kConcat) CHECK(all_positive(times.copy));
      if (mode == KvMode::kAppend) CHECK(times.copy == std::vector<double>(2));
      if (mode == KvMode::kAppend) CHECK(all_positive(times.attention));
    }
    // Of two settings, three steps of three layers, each behind one that is not timed: append and attend;
    // where it is copied that too, and once more alone.
    CHECK(device.launches() == 2 * 3 * 3 * 2 * (mode == KvMode::kAppend ? 2 : 4));
    CHECK(device.allocated() == 0);
  }
}

TEST_CASE("the GPU's bench of attention refuses what no kernel does") {
  EmulatedGpu device;
  AttentionTest test{.context = 3, .layers = 2};
  CHECK_THROWS_AS(gpu_attention(device, {{4, 2, 2, 16, 256, 0.25F}}, test, 1), Error);
  test.selection.top = 2;
  CHECK_THROWS_AS(gpu_attention(device, {{4, 2, 2, 16, 16, 0.25F}}, test, 1), Error);
}

}  // namespace
}  // namespace micius
