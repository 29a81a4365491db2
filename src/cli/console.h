// Warnings on stderr.
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "base/log.h"

namespace micius {

// The text with the passwords of databases as ***, also where their URL was typed in a wrong place and an
// error says so: postgresql://me:***@host/runs?password=***.
std::string without_passwords(std::string text);

// Prints "warning: ..." lines on stderr, each once, or nothing if quiet.
class ConsoleLog final : public Log {
 public:
  enum class Level { kWarnings, kErrorsOnly };
  explicit ConsoleLog(Level level) : level_(level) {}
  void warning(std::string_view message) override;

 private:
  Level level_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> said_;
};

}  // namespace micius
