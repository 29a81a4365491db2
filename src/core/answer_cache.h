// Answers of models, kept for the same question asked again.
#pragma once

#include <optional>
#include <string>

namespace micius {

// Both methods may be called from any thread.
class AnswerCache {
 public:
  virtual ~AnswerCache() = default;
  // What was kept under the key, a SHA-256 in hex; absent where that is nothing, or too old. Throws
  // Error{kIo} and Error{kInvalidData} where the cache cannot be read.
  virtual std::optional<std::string> find(const std::string& key) = 0;
  // Keeps the answer of a model, in place of what was there, soon; does not throw.
  virtual void keep(const std::string& key, const std::string& model, const std::string& answer) = 0;
};

}  // namespace micius
