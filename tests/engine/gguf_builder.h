// Writes GGUF files for tests.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/tensor.h"

namespace micius {

class GgufBuilder {
 public:
  GgufBuilder& integer(std::string_view key, std::uint32_t value);
  GgufBuilder& number(std::string_view key, float value);
  GgufBuilder& boolean(std::string_view key, std::uint8_t value);
  GgufBuilder& string(std::string_view key, std::string_view value);
  GgufBuilder& strings(std::string_view key, const std::vector<std::string>& values);
  GgufBuilder& integers(std::string_view key, const std::vector<std::int32_t>& values);
  // `dimensions` as the file has them, columns first; `bytes` as long as they ask for.
  GgufBuilder& tensor(std::string_view name, DType dtype, const std::vector<std::uint64_t>& dimensions,
                      std::string_view bytes);
  std::string build() const;

 private:
  struct Tensor {
    std::string info;  // all but the offset
    std::string bytes;
  };
  std::uint64_t value_count_ = 0;
  std::string values_;
  std::vector<Tensor> tensors_;
};

}  // namespace micius
