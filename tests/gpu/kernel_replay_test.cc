#include "engine/device/kernel_replay.h"

#include <catch2/catch.hpp>

#include "gpu/emulated_gpu.h"
#include "gpu/row_cases.h"

namespace micius {
namespace {

using emulation::EmulatedGpu;

constexpr std::uint32_t kWidth = 4;

// Two kernels: the rows that `ids` name, then of these the first.
std::vector<Kernel> rows_of(const DeviceArray<float>& x, const DeviceArray<std::int32_t>& ids,
                            const DeviceArray<float>& out, std::uint32_t rows) {
  return {RowKernel(GatherKernel{x.data(), ids.data(), out.data(), rows, kWidth}),
          RowKernel(GatherKernel{out.data(), ids.data(), out.data() + rows * kWidth, 1, kWidth})};
}

TEST_CASE("kernels that come again are recorded once and replayed, over what is in memory then") {
  for (const auto& gpu : all_devices()) {
    const std::vector<float> values{0, 1, 2, 3, 10, 11, 12, 13, 20, 21, 22, 23};
    const DeviceArray<float> x(*gpu, values), out(*gpu, 3 * kWidth);
    const DeviceArray<std::int32_t> ids(*gpu, 2);
    KernelReplay replay(*gpu);
    for (const std::int32_t id : {2, 1, 0, 1}) {
      ids.put(std::vector<std::int32_t>{1, id});
      replay.run(rows_of(x, ids, out, 2));
      const std::vector<float> got = fetched(out);
      CHECK(got[0] == 10);
      CHECK(got[kWidth] == 10.0F * static_cast<float>(id));
      CHECK(got[2 * kWidth] == 10.0F * static_cast<float>(id));  // row 1 of the two
    }
    if (const auto* emulated = dynamic_cast<const EmulatedGpu*>(gpu.get())) {
      CHECK(emulated->recordings() == 1);
      CHECK(emulated->replays() == 3);
      CHECK(emulated->launches() == 8);
    }
  }
}

TEST_CASE("kernels over other memory, or in other numbers, are no replay") {
  EmulatedGpu gpu;
  const DeviceArray<float> x(gpu, std::vector<float>(4 * kWidth)), out(gpu, 3 * kWidth),
      other(gpu, 3 * kWidth);
  const DeviceArray<std::int32_t> ids(gpu, std::vector<std::int32_t>{0, 1});
  KernelReplay replay(gpu);
  replay.run(rows_of(x, ids, out, 2));
  replay.run(rows_of(x, ids, other, 2));
  replay.run(rows_of(x, ids, out, 1));
  CHECK(gpu.recordings() == 0);
  replay.run(rows_of(x, ids, other, 2));
  CHECK(gpu.recordings() == 1);
  CHECK(gpu.replays() == 1);
}

TEST_CASE("products of dense weights are recorded and replayed with the kernels around them") {
  const std::vector<float> ones(16 * 64, 1.0F);
  const LinearPart parts[] = {{{DType::kF32, 16, 64, std::as_bytes(std::span(ones)).data()}, {}}};
  for (const auto& gpu : all_devices()) {
    const DeviceLinear weights(*gpu, parts);
    const DeviceArray<float> x(*gpu, 64), y(*gpu, 16), other(*gpu, 16);
    DeviceRows room;
    BlockedRows inputs = room.resize(*gpu, 1, 64, 2);
    inputs.order = RunOrder::kByRow;
    KernelReplay replay(*gpu);
    const auto run = [&](const DeviceArray<float>& to) {
      replay.run({RowKernel(SplitKernel{x.data(), inputs}),
                  linear_launch({.weights = weights.weights(), .x = inputs, .y = to.data()})});
    };
    for (const float value : {1.0F, 2.0F, 3.0F}) {
      x.put(std::vector<float>(64, value));
      run(y);
      CHECK(fetched(y) == std::vector<float>(16, 64 * value));
    }
    run(other);
    CHECK(fetched(other) == fetched(y));
    if (const auto* emulated = dynamic_cast<const EmulatedGpu*>(gpu.get())) {
      CHECK(emulated->recordings() == 1);
      CHECK(emulated->replays() == 2);
      CHECK(emulated->launches_of<DenseLaunch>() == 4);
    }
  }
}

TEST_CASE("what did not come for long is recorded anew") {
  EmulatedGpu gpu;
  const DeviceArray<float> x(gpu, std::vector<float>(4 * kWidth)), out(gpu, 20 * kWidth);
  const DeviceArray<std::int32_t> ids(gpu, std::vector<std::int32_t>(20));
  KernelReplay replay(gpu);
  const auto run = [&](std::uint32_t rows) { replay.run(rows_of(x, ids, out, rows)); };
  run(1);
  run(1);
  for (std::uint32_t rows = 2; rows < 12; ++rows) run(rows);
  run(1);
  CHECK(gpu.recordings() == 1);
  run(1);
  CHECK(gpu.recordings() == 2);
}

}  // namespace
}  // namespace micius
