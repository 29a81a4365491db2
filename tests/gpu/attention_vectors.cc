#include "gpu/attention_vectors.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include "engine/safetensors.h"
#include "shared_files.h"

namespace micius {
namespace {

std::filesystem::path folder() { return vector_folder() / "sigma/attn"; }

template <typename T>
std::vector<T> values_of(const Safetensors& file, std::string_view name) {
  const SafetensorsTensor* tensor = file.find(name);
  REQUIRE(tensor != nullptr);
  std::vector<T> values(tensor->bytes.size() / sizeof(T));
  std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
  return values;
}

AttentionVector read_vector(const std::filesystem::path& path) {
  const Safetensors file(path);
  const auto shape = [&](std::string_view name) { return file.find(name)->shape; };
  AttentionVector result{
      path.filename().string(), {}, values_of<float>(file, "out"), values_of<float>(file, "lse")};
  DecodeCase& c = result.c;
  c.shape = {shape("q").at(1), shape("k").at(1), shape("v").at(1), shape("k").at(2), shape("v").at(2), 0};
  c.shape.scale = 1 / std::sqrt(static_cast<float>(c.shape.d_k));
  c.q = values_of<float>(file, "q");
  c.k = values_of<float>(file, "k");
  c.v = values_of<float>(file, "v");
  for (const std::int32_t n : values_of<std::int32_t>(file, "k_lens")) c.lengths.push_back(n);
  const std::vector<std::int32_t> rows = values_of<std::int32_t>(file, "q_lens");
  for (std::size_t s = 0; s < rows.size(); ++s) {
    for (std::size_t left = rows[s]; left > 0; --left) c.queries.push_back({s, c.lengths[s] + 1 - left});
  }
  return result;
}

}  // namespace

std::vector<float> AttentionVector::selected(const ValueSelection& selection) const {
  const bool raw = selection.weights == SelectedWeights::kRaw;
  return values_of<float>(Safetensors(folder() / name),
                          fmt::format("out_k{}_{}", selection.top, raw ? "raw" : "renorm"));
}

std::vector<AttentionVector> attention_vectors() {
  if (!std::filesystem::exists(folder())) {
    WARN("skipped: no vectors at " << folder());
    return {};
  }
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder())) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<AttentionVector> vectors;
  for (const std::filesystem::path& path : paths) vectors.push_back(read_vector(path));
  CHECK(vectors.size() == 15);
  return vectors;
}

double rounding_of(const AttentionVector& vector, const DecodeExpected& expected) {
  // f16 moves a score by 2^-11 of the sum of its products' sizes, and a value by as much.
  double moved = 0;
  for (std::size_t i = 0; i < expected.lse.size(); ++i) {
    moved = std::max(moved, std::abs(expected.lse[i] - vector.lse[i]));
  }
  CHECK(moved < 1024 * expected.lse_tolerance);
  double farthest = 0;
  for (std::size_t i = 0; i < expected.out.size(); ++i) {
    farthest = std::max(farthest, std::abs(expected.out[i] - vector.out[i]));
  }
  CHECK(farthest < 4 * (expected.tolerance + moved));
  return moved;
}

}  // namespace micius
