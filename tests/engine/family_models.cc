#include "engine/family_models.h"

#include <cstdint>
#include <string>
#include <vector>

#include "base/files.h"
#include "engine/safetensors_builder.h"

namespace micius {
namespace {

// From the name and the place alone, so that the reference can have the same.
std::vector<float> values_of(const std::string& name, const std::vector<std::size_t>& shape) {
  std::uint32_t hash = 2166136261;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619;
  std::size_t count = 1;
  for (const std::size_t size : shape) count *= size;
  std::vector<float> values(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const double x = static_cast<double>((hash + i * 2654435761U) >> 8) / (1 << 24) - 0.5;
    const bool is_norm = name.find("norm") != std::string::npos;
    values[i] = static_cast<float>(shape.size() == 2 ? x * 0.6 : is_norm ? 1 + 0.4 * x : x);
  }
  return values;
}

}  // namespace

void write_family(const std::filesystem::path& folder, const Json& row) {
  SafetensorsBuilder weights;
  for (const Json& tensor : row["tensors"]) {
    const auto name = tensor[0].get<std::string>();
    const auto shape = tensor[1].get<std::vector<std::size_t>>();
    weights.floats(name, shape, values_of(name, shape));
  }
  write_file_atomic(folder / "config.json", row["config"].dump());
  write_file_atomic(folder / "model.safetensors", weights.build());
}

}  // namespace micius
