// What a model on disk says of itself, under GGUF's names for keys and tensors, whatever its format is.
//
//   const auto source = open_source("folder");  // or "model.gguf"
//   const ModelConfig config = config_from(*source);
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/gguf_writer.h"
#include "engine/tensor.h"
#include "engine/tokenizer/tokenizer.h"

namespace micius {

// How a file orders the q and k rows of a head. kInterleaved: for RoPE on neighbours, as GGUF's `llama` files
// have them; unpermuted when they are read.
enum class QkRows { kHalfSplit, kInterleaved };

// Immutable once opened; safe from several threads. Views of tensors are valid while it lives.
class ModelSource {
 public:
  using Tensors = std::map<std::string, MatrixView, std::less<>>;

  virtual ~ModelSource() = default;

  virtual const std::string& file() const = 0;                   // its path, for messages
  virtual std::vector<std::filesystem::path> files() const = 0;  // all that make up the model
  virtual std::size_t bytes() const = 0;                         // on disk
  virtual std::string label() const = 0;                         // what the model calls itself; may be empty
  virtual std::string architecture() const = 0;                  // "llama"

  // The numbers of the architecture, by keys without its prefix: "block_count". Absent if the file does not
  // have them; a value of another kind is Error{kInvalidData} naming file and key.
  virtual std::optional<std::uint64_t> integer_if(std::string_view key) const = 0;
  virtual std::optional<double> number_if(std::string_view key) const = 0;
  virtual std::optional<std::string> string_if(std::string_view key) const = 0;
  virtual std::string key_name(std::string_view key) const = 0;  // what the file calls it, for messages

  // Weights by name: "blk.0.attn_q.weight". What the format cannot name keeps its own name.
  virtual const Tensors& tensors() const = 0;
  virtual std::string tensor_name(std::string_view name) const = 0;  // what the file calls it, for messages
  virtual QkRows qk_rows() const = 0;
  // Gives the memory of what was read of the files back to the system; what reads it again finds it.
  virtual void release() const = 0;

  // Throws Error naming file and key for a tokenizer that is missing, damaged or not covered.
  virtual TokenizerData tokenizer() const = 0;
  virtual std::string chat_template() const = 0;  // its source; empty where the model has none

  // Adds all of this but the weights to a GGUF file.
  virtual void describe(GgufWriter& writer) const = 0;

  // Throws Error{kInvalidData} with the file's name for a tensor that is not there.
  MatrixView tensor(std::string_view name) const;
};

// A GGUF file, or a folder with config.json and safetensors. Throws Error{kNotFound | kInvalidData |
// kUnsupported} naming the file, and offset or field.
std::unique_ptr<ModelSource> open_source(const std::filesystem::path& path);

// Of a single file, that of its bytes; of several, that of a list of theirs in sha256sum's format.
std::string model_sha256(const ModelSource& source);

// How many weights there are.
std::size_t parameter_count(const ModelSource& source);

}  // namespace micius
