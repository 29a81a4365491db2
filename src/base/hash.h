// SHA-256.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace micius {

// Hashes a stream of bytes.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256& update(std::string_view bytes);
  std::array<unsigned char, 32> digest();  // ends the stream
  std::string hex();                       // ends the stream; 64 lower-case digits

 private:
  struct State;
  std::unique_ptr<State> state_;
};

std::string sha256_hex(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& path);

}  // namespace micius
