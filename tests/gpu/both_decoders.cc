#include "gpu/both_decoders.h"

#include <algorithm>
#include <cmath>

#include <catch2/catch.hpp>

#include "engine/convert.h"
#include "engine/family_models.h"
#include "temp_dir.h"

namespace micius {

std::string converted(const ModelSource& source, DType dtype) {
  ThreadPool pool(1);
  std::string bytes;
  write_gguf(source, dtype, pool, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

std::string converted_family(const Json& row) {
  const TempDir folder;
  write_family(folder.path(), row);
  return converted(*open_source(folder.path()), dtype_from(row.value("format", "BF16")));
}

BothDecoders::BothDecoders(std::string gguf, Numerics cpu, Numerics gpu, Device& device)
    : gguf_(std::move(gguf)),
      source_(GgufFile(std::as_bytes(std::span(gguf_.data(), gguf_.size())), "x.gguf")),
      config_(config_from(source_)),
      cpu_(Transformer(config_, read_weights(source_, config_, cpu, *fixture_)), cpu, *fixture_),
      gpu_(source_, config_, gpu, device, (*fixture_).pool) {}

double worst_part(std::span<const float> gpu, std::span<const float> cpu) {
  REQUIRE(gpu.size() == cpu.size());
  double worst = 0, largest = 0;
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    const double difference = std::abs(double{gpu[i]} - cpu[i]);
    worst = std::isfinite(difference) ? std::max(worst, difference) : INFINITY;
    largest = std::max(largest, double{std::abs(cpu[i])});
  }
  return worst / largest;
}

}  // namespace micius
