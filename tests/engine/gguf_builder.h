// Writes GGUF files for tests: also those that no writer should make.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf_writer.h"

namespace micius {

class GgufBuilder : public GgufWriter {
 public:
  // `bytes` stand in the file as they are, whatever the dimensions ask for.
  GgufBuilder& tensor(std::string_view name, DType dtype, const std::vector<std::uint64_t>& dimensions,
                      std::string bytes) {
    const std::size_t size = bytes.size();
    GgufWriter::tensor(name, dtype, dimensions, size, [bytes = std::move(bytes)](std::span<std::byte> out) {
      std::copy_n(reinterpret_cast<const std::byte*>(bytes.data()), bytes.size(), out.data());
    });
    return *this;
  }

  std::string build() const {
    std::string out;
    write([&](std::string_view bytes) { out += bytes; });
    return out;
  }
};

}  // namespace micius
