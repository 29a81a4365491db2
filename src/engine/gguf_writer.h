// Writes model files in GGUF, version 3.
//
//   GgufWriter writer;
//   writer.string("general.architecture", "sigma").integer("sigma.block_count", 26);
//   writer.tensor("output_norm.weight", DType::kF32, {2048}, 8192, fill);
//   write_file_atomic(path, [&](const ByteSink& sink) { writer.write(sink); });
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "engine/gguf.h"
#include "engine/tensor.h"

namespace micius {

class GgufWriter {
 public:
  // Makes a tensor's bytes.
  using Fill = std::function<void(std::span<std::byte>)>;

  GgufWriter& integer(std::string_view key, std::uint32_t value);
  GgufWriter& number(std::string_view key, float value);
  GgufWriter& boolean(std::string_view key, bool value);
  GgufWriter& string(std::string_view key, std::string_view value);
  GgufWriter& strings(std::string_view key, const std::vector<std::string>& values);
  GgufWriter& integers(std::string_view key, const std::vector<std::int32_t>& values);
  GgufWriter& numbers(std::string_view key, const std::vector<float>& values);
  GgufWriter& bytes(std::string_view key, std::string_view values);
  GgufWriter& value(std::string_view key, const GgufValue& value);  // as another file has it
  // `dimensions` as the file has them, columns first; `bytes` must be what they ask for.
  GgufWriter& tensor(std::string_view name, DType dtype, const std::vector<std::uint64_t>& dimensions,
                     std::size_t bytes, Fill fill);

  // Calls each tensor's Fill once, in the order they were added; one tensor's bytes are held at a time.
  void write(const ByteSink& sink) const;

 private:
  struct Tensor {
    std::string info;  // all but the offset
    std::size_t bytes;
    Fill fill;
  };
  GgufWriter& array(std::string_view key, GgufType type, std::size_t count, std::string_view bytes);

  std::uint64_t value_count_ = 0;
  std::string values_;
  std::vector<Tensor> tensors_;
};

}  // namespace micius
