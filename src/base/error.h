// The one exception type. A bug asserts; a run that cannot go on throws Error; a sample that failed is data.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace micius {

enum class ErrorCode {
  kUsage,        // the caller asked for something that is not there: unknown name, flag, field
  kNotFound,     // a file, model or data set is missing; the message holds the command that gets it
  kInvalidData,  // a file is not what it says it is; the message holds file and line or offset
  kUnsupported,  // valid, but outside what this build does
  kIo,           // the operating system refused
  kStopped,      // a run stopped early and can be resumed
  kUndecided,    // a comparison cannot decide
};

// A message names the thing, the place and the next step: "tasks/x.json:12: unknown scorer 'exakt' (did you
// mean 'exact'?)".
class Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const { return code_; }

 private:
  ErrorCode code_;
};

template <typename... Args>
[[noreturn]] void fail(ErrorCode code, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(code, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace micius
