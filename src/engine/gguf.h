// Model files in GGUF, versions 2 and 3, little-endian. The format is ggml's.
//
//   const GgufFile file("model.gguf");
//   const std::uint64_t layers = file.integer("llama.block_count");
//   const MatrixView embedding = file.matrix("token_embd.weight");
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/files.h"
#include "engine/tensor.h"

namespace micius {

// The numbers of value types in the file.
enum class GgufType : std::uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// A metadata value as it lies in the file; borrows its bytes.
struct GgufValue {
  GgufType type = GgufType::kU8;     // of an array: of its elements
  bool is_array = false;             // arrays of arrays are refused
  std::uint64_t count = 1;           // elements
  std::span<const std::byte> bytes;  // elements one after the other; a string is its length (u64), then bytes
};

struct GgufTensor {
  std::string_view name;
  DType dtype = DType::kF32;
  std::size_t rows = 0, cols = 0;    // a vector is one row; more than two dimensions are folded into rows
  std::span<const std::byte> bytes;  // rows * row_bytes(dtype, cols)
};

// The format's number for tensors of this type.
std::uint32_t gguf_number(DType dtype);

// Opening checks everything but the weights' values: sizes, counts, types, alignment, names that come twice,
// tensors inside the file. Whatever is wrong is Error{kInvalidData} with file, byte offset and what was
// expected; a tensor of a type that the engine lacks is Error{kUnsupported}. Memory grows with what the file
// holds, never with what it claims. Immutable once opened; safe from several threads.
class GgufFile {
 public:
  explicit GgufFile(const std::filesystem::path& path);
  // For tests: `bytes` must outlive the object; `name` stands for the path in messages.
  GgufFile(std::span<const std::byte> bytes, std::string name);
  GgufFile(GgufFile&&) = default;
  GgufFile& operator=(GgufFile&&) = default;

  const std::string& name() const { return name_; }
  std::size_t size() const { return bytes_.size(); }

  // Metadata. A key that is missing (without a fallback) or of another kind is Error{kInvalidData} naming it.
  bool has(std::string_view key) const { return find(key) != nullptr; }
  const GgufValue* find(std::string_view key) const;  // null if it is not there
  std::uint64_t integer(std::string_view key) const;  // any whole number that is not negative
  std::optional<std::uint64_t> integer_if(std::string_view key) const;
  double number(std::string_view key) const;  // any number
  std::optional<double> number_if(std::string_view key) const;
  std::string_view string(std::string_view key) const;
  std::optional<std::string_view> string_if(std::string_view key) const;
  std::optional<bool> boolean_if(std::string_view key) const;
  std::vector<std::string> strings(std::string_view key) const;  // an array of strings
  std::vector<std::uint64_t> integers(std::string_view key) const;
  const std::map<std::string_view, GgufValue>& values() const { return values_; }

  // In file order.
  const std::vector<GgufTensor>& tensors() const { return tensors_; }
  const GgufTensor* find_tensor(std::string_view name) const;
  // The tensor as a matrix. Throws Error{kInvalidData} if it is not there.
  MatrixView matrix(std::string_view name) const;
  // Gives the memory of what was read back to the system; what reads it again finds it.
  void release() const;

 private:
  class Reader;
  const GgufValue& value(std::string_view key) const;
  [[noreturn]] void mistyped(std::string_view key, std::string_view expected) const;

  std::string name_;
  std::optional<MappedFile> map_;
  std::span<const std::byte> bytes_;
  std::map<std::string_view, GgufValue> values_;
  std::vector<GgufTensor> tensors_;
  std::map<std::string_view, std::size_t> tensor_index_;
};

}  // namespace micius
