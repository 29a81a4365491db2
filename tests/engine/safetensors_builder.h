// Writes safetensors files for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// The size of a header, then the header.
inline std::string safetensors_header(std::string_view json) {
  const std::uint64_t size = json.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &size, 8);
  return out.append(json);
}

class SafetensorsBuilder {
 public:
  SafetensorsBuilder& tensor(std::string_view name, std::string_view type, std::string_view shape,
                             std::string_view bytes) {
    entries_ += entries_.empty() ? "" : ",";
    entries_.append("\"").append(name).append("\":{\"dtype\":\"").append(type).append("\",\"shape\":");
    entries_.append(shape).append(",\"data_offsets\":[").append(std::to_string(data_.size())).append(",");
    data_ += bytes;
    entries_.append(std::to_string(data_.size())).append("]}");
    return *this;
  }
  SafetensorsBuilder& floats(std::string_view name, const std::vector<std::size_t>& shape,
                             const std::vector<float>& values) {
    std::string sizes;
    for (const std::size_t size : shape) sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    return tensor(name, "F32", "[" + sizes + "]",
                  {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float)});
  }
  std::string build() const { return safetensors_header("{" + entries_ + "}") + data_; }

 private:
  std::string entries_, data_;
};

}  // namespace micius
