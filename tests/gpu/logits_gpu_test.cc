#include "engine/ops/logits_gpu.h"

#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "engine/op_fixture.h"
#include "engine/quant.h"
#include "engine/reference_ops.h"
#include "gpu/row_cases.h"

namespace micius {
namespace {

TEST_CASE("a GPU reads embedding rows out of tiles, to the bit") {
  for (const DType dtype : {DType::kQ4_0, DType::kQ4_1, DType::kQ8_0, DType::kBF16}) {
    const RandomMatrix table(dtype, 40, 96, "table");
    const LinearPart parts[] = {table};
    const std::vector<std::int32_t> ids{39, 0, 17, 8};
    for (const auto& gpu : all_devices()) {
      const DeviceLinear tiles(*gpu, parts);
      const DeviceArray<std::int32_t> wanted(*gpu, ids);
      const DeviceArray<float> out(*gpu, ids.size() * 96);
      gpu->launch(EmbeddingKernel{tiles.weights(), wanted.data(), out.data(), 4, 2});
      const std::vector<float> results = fetched(out);
      std::vector<float> row(96);
      for (std::size_t i = 0; i < ids.size(); ++i) {
        dequantize(dtype, table.view().data + ids[i] * row_bytes(dtype, 96), row);
        for (float& value : row) value *= 2;
        CHECK(std::equal(row.begin(), row.end(), results.begin() + static_cast<std::ptrdiff_t>(i * 96)));
      }
    }
  }
}

// Rows of x, few enough and too many for the kernel of few rows.
void check_summaries(Device& gpu, std::uint32_t rows, DType dtype = DType::kQ8_0) {
  constexpr std::size_t kOutputs = 300, kInputs = 64;
  const RandomMatrix head(dtype, kOutputs, kInputs, "head");
  const LinearPart parts[] = {head};
  std::vector<float> x = random_floats(rows * kInputs, "x");
  for (float& value : x) value *= 8;
  std::fill(x.begin(), x.begin() + kInputs, 0.0F);  // all logits are equal: the lowest id counts
  std::vector<std::uint32_t> first{0};
  std::vector<std::int32_t> ids;
  for (std::uint32_t row = 0; row < rows; ++row) {  // 0, 1 or 2 of a row
    for (std::uint32_t i = 0; i < row % 3; ++i)
      ids.push_back(static_cast<std::int32_t>((row * 37 + i * 8) % kOutputs));
    first.push_back(static_cast<std::uint32_t>(ids.size()));
  }
  DeviceRows room;
  const DeviceLinear linear(gpu, parts);
  BlockedRows inputs = room.resize(gpu, rows, kInputs, 2);
  inputs.order = run_order(linear.weights(), rows);
  const DeviceArray<float> values(gpu, x), picked(gpu, ids.size());
  gpu.launch(SplitKernel{values.data(), inputs});
  const DeviceArray<LogitPartial> partials(gpu, linear.weights().row_tiles() * std::size_t{rows}),
      summaries(gpu, rows);
  const DeviceArray<std::uint32_t> pick_first(gpu, first);
  const DeviceArray<std::int32_t> pick_ids(gpu, ids);
  gpu.launch(LinearArgs{.weights = linear.weights(),
                        .x = inputs,
                        .result = LinearResult::kSummaries,
                        .partials = partials.data(),
                        .pick_first = pick_first.data(),
                        .pick_ids = pick_ids.data(),
                        .picked = picked.data()});
  gpu.launch(LogitSummaryKernel{partials.data(), summaries.data(), linear.weights().row_tiles(), rows});
  const std::vector<double> logits = reference::linear(parts, x);
  const std::vector<LogitPartial> read = fetched(summaries);
  const std::vector<float> of_picks = fetched(picked);
  for (std::uint32_t row = 0; row < rows; ++row) {
    const std::vector<float> of_row(logits.begin() + static_cast<std::ptrdiff_t>(row * kOutputs),
                                    logits.begin() + static_cast<std::ptrdiff_t>((row + 1) * kOutputs));
    const LogitPartial& summary = read[row];
    CHECK(summary.argmax == std::max_element(of_row.begin(), of_row.end()) - of_row.begin());
    CHECK(summary.max + std::log(double{summary.sum}) == Approx(reference::logsumexp(of_row)).margin(1e-4));
    for (std::uint32_t pick = first[row]; pick < first[row + 1]; ++pick) {
      CHECK(of_picks[pick] == Approx(of_row[ids[pick]]).margin(1e-4));
    }
  }
}

TEST_CASE("a GPU sums up logits as fp64 does") {
  for (const auto& gpu : all_devices()) {
    check_summaries(*gpu, 5);
    check_summaries(*gpu, 40);
    check_summaries(*gpu, 66, DType::kBF16);  // whose inputs lie as a matrix library has them
  }
}

TEST_CASE("one logit that is no number spoils the sum of its row on a GPU") {
  constexpr std::size_t kOutputs = 40, kInputs = 64;
  for (const std::size_t spoiled : {0, 7, 8, 15, 16, 39}) {
    std::vector<std::uint16_t> weights(kOutputs * kInputs, f32_to_bf16(0.5F));
    weights[spoiled * kInputs] = f32_to_bf16(NAN);
    const LinearPart parts[] = {
        {{DType::kBF16, kOutputs, kInputs, reinterpret_cast<const std::byte*>(weights.data())}, {}}};
    for (const auto& gpu : all_devices()) {
      DeviceRows room;
      const BlockedRows inputs = room.resize(*gpu, 1, kInputs, 2);
      const DeviceArray<float> ones(*gpu, std::vector<float>(kInputs, 1.0F));
      gpu->launch(SplitKernel{ones.data(), inputs});
      const DeviceLinear linear(*gpu, parts);
      const DeviceArray<LogitPartial> partials(*gpu, linear.weights().row_tiles()), summaries(*gpu, 1);
      gpu->launch(LinearArgs{.weights = linear.weights(),
                             .x = inputs,
                             .result = LinearResult::kSummaries,
                             .partials = partials.data()});
      gpu->launch(LogitSummaryKernel{partials.data(), summaries.data(), linear.weights().row_tiles(), 1});
      CHECK_FALSE(std::isfinite(fetched(summaries).front().sum));
    }
  }
}

}  // namespace
}  // namespace micius
