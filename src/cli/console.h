// Warnings on stderr.
#pragma once

#include "base/log.h"

namespace micius {

// Prints "warning: ..." lines on stderr, or nothing if quiet.
class ConsoleLog final : public Log {
 public:
  enum class Level { kWarnings, kErrorsOnly };
  explicit ConsoleLog(Level level) : level_(level) {}
  void warning(std::string_view message) override;

 private:
  Level level_;
};

}  // namespace micius
