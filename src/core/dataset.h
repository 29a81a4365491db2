// A named, hashed, read-only sequence of samples.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/sample.h"

namespace micius {

// Safe to call from several threads.
class Dataset {
 public:
  virtual ~Dataset() = default;
  virtual std::string_view name() const = 0;     // "general/arc_easy/test.jsonl": the path below its root
  virtual std::string content_hash() const = 0;  // SHA-256 of the source bytes
  virtual std::size_t size() const = 0;
  // Throws Error naming file, line and field. The row's fields are in Sample::extra as they are.
  virtual Sample at(std::size_t index) const = 0;
};

}  // namespace micius
