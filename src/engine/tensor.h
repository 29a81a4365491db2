// Number formats, views of weights as a model file holds them, and memory for ops.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

namespace micius {

enum class DType { kF32, kF16, kBF16, kQ8_0, kQ4_0, kQ4_1, kQ5_0, kQ5_1, kQ4_K, kQ5_K, kQ6_K };

std::string_view dtype_name(DType dtype);  // "F32", "Q4_1", "Q4_K"

// How linear layers and attention calculate.
enum class Numerics {
  kFp32,     // weights widened, everything in fp32, KV cache in fp32
  kPrecise,  // activations as 16-bit integers with a scale for 32 values, KV cache in f16, the rest in fp32
  kFast,     // activations as 8-bit integers with a scale for 32 values, KV cache in 8 bits, the rest in fp32
  // Under all three, weights stored as floats meet activations in fp32.
};

// A matrix in the bytes of its file; borrows them. Row-major, rows of whole blocks.
struct MatrixView {
  DType dtype = DType::kF32;
  std::size_t rows = 0, cols = 0;
  const std::byte* data = nullptr;  // rows * row_bytes(dtype, cols), any alignment
};

// Zeroed memory, aligned to a page, in huge pages where the kernel grants them.
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t bytes);  // throws Error{kIo} if there is no memory
  std::byte* data() { return data_.get(); }
  const std::byte* data() const { return data_.get(); }
  std::size_t size() const { return data_ ? data_.get_deleter().bytes : 0; }

 private:
  struct Unmap {
    std::size_t bytes;
    void operator()(std::byte* data) const;
  };
  std::unique_ptr<std::byte[], Unmap> data_;
};

// Memory for matrices that are read one after the other: each lies right behind the one before, within
// chunks, so that even small ones stand in huge pages and are one stream to the processor. Its memory lives
// as long as it does.
class Arena {
 public:
  std::byte* take(std::size_t bytes);  // zeroed, aligned to 64

 private:
  std::vector<Buffer> chunks_;
  std::size_t used_ = 0;  // bytes of the last chunk
};

// Working memory that ops share one after the other; grows, never shrinks. One for each thread that calls
// ops.
class Scratch {
 public:
  // At least `bytes`, aligned to 64, contents undefined; valid until the next call.
  std::byte* get(std::size_t bytes);

 private:
  Buffer buffer_;
};

}  // namespace micius
