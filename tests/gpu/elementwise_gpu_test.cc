#include "engine/ops/elementwise_gpu.h"

#include <catch2/catch.hpp>

#include "engine/op_fixture.h"
#include "engine/ops/elementwise.h"
#include "engine/ops/rope.h"
#include "engine/reference_ops.h"
#include "gpu/row_cases.h"

namespace micius {
namespace {

TEST_CASE("a GPU splits rows into planes of bf16") {
  for (const std::uint32_t width : {4U, 32U, 68U, 300U}) {
    const std::vector<float> x = random_floats(3 * std::size_t{width}, "x");
    for (const auto& gpu : all_devices()) {
      const DeviceArray<float> values(*gpu, x);
      for (const std::uint32_t planes : {1U, 2U}) {
        DeviceRows room;
        const BlockedRows rows = room.resize(*gpu, 3, width, planes);
        gpu->launch(SplitKernel{values.data(), rows});
        check_near(joined(*gpu, rows), x, planes == 2 ? 0x1p-16 : 0x1p-8);
      }
    }
  }
}

TEST_CASE("a GPU's RMSNorm agrees with fp64") {
  for (const std::uint32_t width : {32U, 132U, 1100U}) {
    const std::vector<float> x = random_floats(2 * std::size_t{width}, "x"),
                             weight = random_floats(width, "weight"),
                             before = random_floats(2 * std::size_t{width}, "residual");
    const std::vector<double> expected = reference::rms_norm(x, weight, 1e-5);
    std::vector<double> added = expected;
    for (std::size_t i = 0; i < added.size(); ++i) added[i] += before[i];
    for (const auto& gpu : all_devices()) {
      const DeviceArray<float> values(*gpu, x), weights(*gpu, weight), residual(*gpu, before);
      DeviceRows room;
      const BlockedRows rows = room.resize(*gpu, 2, width, 2);
      gpu->launch(NormKernel{.x = values.data(),
                             .weight = weights.data(),
                             .out = rows,
                             .rows = 2,
                             .width = width,
                             .epsilon = 1e-5F});
      check_near(joined(*gpu, rows), expected, 3e-5);
      gpu->launch(NormKernel{.x = values.data(),
                             .weight = weights.data(),
                             .residual = residual.data(),
                             .rows = 2,
                             .width = width,
                             .epsilon = 1e-5F});
      check_near(fetched(residual), added, 1e-5);
    }
  }
}

TEST_CASE("a GPU's gated units agree with fp64") {
  std::vector<float> x = random_floats(2 * 2 * 36, "gate and up");
  for (float& value : x) value *= 6;
  x[0] = 200;
  x[1] = -200;
  for (const auto& gpu : all_devices()) {
    const DeviceArray<float> values(*gpu, x);
    DeviceRows room;
    const BlockedRows rows = room.resize(*gpu, 2, 36, 2);
    gpu->launch(GatedKernel{values.data(), rows, Gate::kSilu});
    check_near(joined(*gpu, rows), reference::swiglu(x, 36), 3e-5);
    gpu->launch(GatedKernel{values.data(), rows, Gate::kGeluTanh});
    check_near(joined(*gpu, rows), reference::geglu(x, 36), 3e-5);
  }
}

TEST_CASE("a GPU turns and norms heads as the CPU does") {
  constexpr std::size_t kRows = 3, kHeads = 5, kDim = 24, kStride = kHeads * kDim + 16;
  const std::vector<float> x = random_floats(kRows * kStride, "x"), weight = random_floats(kDim, "weight");
  const std::vector<std::int32_t> positions{7, 0, 90};
  RopeTable table(kDim, 10000);
  table.cover(91);
  const OpFixture fixture(Isa::kPlain);
  std::vector<float> row_turns(kRows * kDim);
  rope_turns(RopeAngles(kDim, 10000), positions, row_turns, *fixture);
  for (const auto& gpu : all_devices()) {
    const DeviceArray<float> turns(*gpu, table.turns()), weights(*gpu, weight);
    const DeviceArray<std::int32_t> places(*gpu, positions);
    for (const bool normed : {false, true}) {
      std::vector<float> expected = x;
      if (normed) rms_norm_heads(expected.data(), kStride, kRows, kHeads, weight, 1e-6F, *fixture);
      apply_rope(expected.data(), kStride, kHeads, kDim, row_turns, *fixture);
      const DeviceArray<float> heads(*gpu, x), apart(*gpu, kRows * kHeads * kDim);
      HeadsKernel kernel{.x = heads.data(),
                         .out = apart.data(),
                         .weight = normed ? weights.data() : nullptr,
                         .table = turns.data(),
                         .positions = places.data(),
                         .rows = kRows,
                         .heads = kHeads,
                         .dim = kDim,
                         .stride = kStride,
                         .out_stride = kHeads * kDim,
                         .epsilon = 1e-6F};
      gpu->launch(kernel);
      const std::vector<float> of_q = fetched(apart);
      for (std::size_t row = 0; row < kRows; ++row) {
        const std::span<const float> wanted(expected.data() + row * kStride, kHeads * kDim);
        check_near(std::span(of_q).subspan(row * wanted.size(), wanted.size()),
                   std::vector(wanted.begin(), wanted.end()), 1e-5);
      }
      kernel.out = heads.data();  // in place
      kernel.out_stride = kStride;
      gpu->launch(kernel);
      check_near(fetched(heads), expected, 1e-5);
    }
  }
}

TEST_CASE("a GPU gathers rows") {
  const std::vector<float> x = random_floats(std::size_t{5} * 12, "x");
  const std::vector<std::int32_t> ids{4, 0, 4};
  for (const auto& gpu : all_devices()) {
    const DeviceArray<float> values(*gpu, x), out(*gpu, ids.size() * 12);
    const DeviceArray<std::int32_t> rows(*gpu, ids);
    gpu->launch(GatherKernel{values.data(), rows.data(), out.data(), 3, 12});
    const std::vector<float> results = fetched(out);
    for (std::size_t i = 0; i < results.size(); ++i) CHECK(results[i] == x[ids[i / 12] * 12 + i % 12]);
  }
}

}  // namespace
}  // namespace micius
