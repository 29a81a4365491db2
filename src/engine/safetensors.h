// Model files in safetensors: one file, or several with an index. Format: the safetensors README, "Format".
//
//   const Safetensors weights("folder");  // or "model.safetensors"
//   const MatrixView words = weights.matrix("embeddings.word_embeddings.weight");
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

struct SafetensorsTensor {
  std::string name;
  std::string type;                // as the file writes it: "F32", "I64"
  std::optional<DType> dtype;      // absent: a type that the engine does not calculate with
  std::vector<std::size_t> shape;  // no dimensions: one value
  std::span<const std::byte> bytes;
};

// Opening checks everything but the weights' values: header, types, shapes, offsets that cover the data
// without holes or overlaps, names that come twice, and, of an index, that files and index have the same
// tensors. Whatever is wrong is Error{kInvalidData} with file, and byte offset or tensor and field; a type
// that the format does not have is Error{kUnsupported}. Memory grows with what the files hold, never with
// what they claim. Immutable once opened; safe from several threads.
class Safetensors {
 public:
  // A file, an index (*.index.json) or a folder with one of both. Throws Error{kNotFound} for what is not
  // there.
  explicit Safetensors(const std::filesystem::path& path);
  // For tests: `bytes` must outlive the object; `name` stands for the path in messages.
  Safetensors(std::span<const std::byte> bytes, std::string name);
  Safetensors(Safetensors&&) = default;
  Safetensors& operator=(Safetensors&&) = default;

  const std::string& name() const { return name_; }
  std::size_t size() const { return size_; }  // bytes of all files
  // What was read, the index first; empty for bytes in memory.
  const std::vector<std::filesystem::path>& files() const { return files_; }

  const std::vector<SafetensorsTensor>& tensors() const { return tensors_; }  // in the order of their bytes
  const SafetensorsTensor* find(std::string_view name) const;                 // null if it is not there
  // The tensor as a matrix: a vector is one row; more than two dimensions are folded into rows. Throws
  // Error{kInvalidData} if it is not there, Error{kUnsupported} for a type that the engine lacks.
  MatrixView matrix(std::string_view name) const;
  // Gives the memory of what was read back to the system; what reads it again finds it.
  void release() const;

 private:
  void add_file(std::span<const std::byte> bytes, const std::string& name);
  void add_shards(const std::filesystem::path& index);

  std::string name_;
  std::vector<std::filesystem::path> files_;
  std::vector<MappedFile> maps_;
  std::size_t size_ = 0;
  std::vector<SafetensorsTensor> tensors_;
  std::map<std::string, std::size_t, std::less<>> places_;  // in tensors_, by name
};

}  // namespace micius
