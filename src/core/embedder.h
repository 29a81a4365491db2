// Turns texts into vectors whose cosine says how alike they are.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace micius {

// Safe to call from several threads.
class Embedder {
 public:
  virtual ~Embedder() = default;
  virtual std::size_t dim() const = 0;
  // [texts.size(), dim()], each row of length 1. A text longer than the model reads is cut at max_tokens().
  // Throws Error{kIo} where the vectors cannot be had.
  [[nodiscard]] virtual std::vector<float> embed(std::span<const std::string> texts) = 0;
  // Tokens of `text` without the model's own; with max_tokens(), what a caller cuts long texts by.
  [[nodiscard]] virtual std::size_t count_tokens(std::string_view text) const = 0;
  virtual std::size_t max_tokens() const = 0;  // without the model's own
  virtual std::string identity() const = 0;    // name and hash of the model, kept with a run
};

}  // namespace micius
