#include "gpu/row_cases.h"

#include <cmath>

#include <catch2/catch.hpp>

#include "engine/gpu_device.h"
#include "engine/quant.h"
#include "gpu/emulated_gpu.h"

namespace micius {

std::vector<std::unique_ptr<Device>> all_devices() {
  std::vector<std::unique_ptr<Device>> devices;
  devices.push_back(std::make_unique<emulation::EmulatedGpu>());
  if (const GpuSurvey survey = survey_gpus(); !survey.gpus.empty()) {
    devices.push_back(open_gpu(survey.gpus.front()));
  }
  return devices;
}

std::vector<float> joined(Device& device, const BlockedRows& rows) {
  std::vector<std::uint32_t> words(rows.word(rows.planes, 0, 0));
  std::vector<float> sums(std::size_t{rows.blocks()} * rows.stride);
  device.copy(words.data(), rows.values, words.size() * sizeof(std::uint32_t));
  device.copy(sums.data(), rows.sums, sums.size() * sizeof(float));
  std::vector<float> values;
  long wrong = 0;
  for (std::uint32_t row = 0; row < rows.rows; ++row) {
    for (std::uint32_t block = 0; block < rows.blocks(); ++block) {
      double sum = 0;
      for (std::uint32_t i = 0; i < BlockedRows::kColumns; ++i) {
        float value = 0;
        for (std::uint32_t plane = 0; plane < rows.planes; ++plane) {
          value += bf16_to_f32(
              static_cast<std::uint16_t>(words[rows.word(plane, block, row) + i / 2] >> i % 2 * 16));
        }
        sum += value;
        if (block * BlockedRows::kColumns + i < rows.width) {
          values.push_back(value);
        } else {
          wrong += value == 0 ? 0 : 1;
        }
      }
      wrong += std::abs(sum - sums[std::size_t{block} * rows.stride + row]) <= 1e-4 ? 0 : 1;
    }
  }
  CHECK(wrong == 0);
  return values;
}

DeviceLinear::DeviceLinear(Device& device, std::span<const LinearPart> parts) {
  ThreadPool pool(1);
  const TileFormat format = tile_format(parts);
  tiles_ = DeviceArray<std::uint32_t>(device, pack_tiles(parts, format, pool));
  std::size_t outputs = 0;
  for (const LinearPart& part : parts) outputs += part.weights.rows;
  weights_ = {tiles_.data(), format, static_cast<std::uint32_t>(outputs),
              static_cast<std::uint32_t>(parts.front().weights.cols)};
}

}  // namespace micius
