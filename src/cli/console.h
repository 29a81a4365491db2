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

class ProgressBoard;

// Prints "warning: ..." lines on stderr, each once, or nothing if quiet.
class ConsoleLog final : public Log {
 public:
  enum class Level { kWarnings, kErrorsOnly };
  // `board`: what shows progress meanwhile; may be null, else it must outlive this.
  explicit ConsoleLog(Level level, ProgressBoard* board = nullptr) : level_(level), board_(board) {}
  void warning(std::string_view message) override;

 private:
  Level level_;
  ProgressBoard* board_;
  std::mutex mutex_;
  std::set<std::string, std::less<>> said_;
};

}  // namespace micius
