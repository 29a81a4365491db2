// Sentence embeddings: a BERT encoder from a folder as sentence-transformers writes it (safetensors).
//
//   Encoder encoder("all-minilm-l6-v2", {});
//   const std::vector<float> rows = encoder.embed(std::vector<std::string>{"nvidia-smi -q", "rocm-smi -a"});
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/cpu.h"
#include "engine/engine_device.h"

namespace micius {

class Device;

// On the CPU none of these changes a bit of the vectors.
struct EncoderOptions {
  std::optional<Isa> isa;                    // absent: the best that the machine has
  int threads = 0;                           // 0: one a core
  std::size_t batch_tokens = 512;            // most tokens of a forward pass, but at least one text
  EngineDevice device = EngineDevice::kCpu;  // of GPUs the first; results differ between them by rounding
};

struct EncoderInfo {
  std::size_t dim = 0;
  std::size_t max_tokens = 0;  // of a text, without [CLS] and [SEP]
  std::size_t vocabulary = 0, layers = 0;
  std::size_t parameters = 0;
  std::size_t file_bytes = 0, weight_bytes = 0;  // on disk; packed in memory
  Isa isa = Isa::kPlain;
  int threads = 0;
  std::optional<std::string> gpu;  // "NVIDIA H100"; absent: the CPU runs the model
};

// embed() is for one thread at a time; the rest may be used by others meanwhile.
class Encoder {
 public:
  // Throws Error{kNotFound | kInvalidData | kUnsupported} naming the file and what is wrong with it.
  // Error{kIo} with the numbers where a GPU has too little memory.
  Encoder(const std::filesystem::path& folder, const EncoderOptions& options);
  // On this device whatever options.device is; a null is the CPU.
  Encoder(const std::filesystem::path& folder, const EncoderOptions& options, std::unique_ptr<Device> device);
  ~Encoder();
  Encoder(const Encoder&) = delete;
  Encoder& operator=(const Encoder&) = delete;

  const EncoderInfo& info() const;

  // [texts.size(), dim]: the mean over all tokens, [CLS] and [SEP] included, scaled to length 1. A text is
  // cut at max_tokens. On the CPU a row is the same bits whatever the other texts are; on a GPU it moves with
  // them by rounding, less than 1e-3 of its length. Throws Error{kIo} if memory is short, Error{kInvalidData}
  // if the weights give no numbers.
  std::vector<float> embed(std::span<const std::string> texts);

  // Tokens of `text`, uncut, without [CLS] and [SEP].
  std::size_t count_tokens(std::string_view text) const;

 private:
  struct Loaded;
  std::unique_ptr<Loaded> loaded_;
};

}  // namespace micius
