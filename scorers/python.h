// The host's CPython 3, in the sandbox.
#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "core/services.h"

namespace micius {

// Safe to call from several threads.
class Python {
 public:
  // `services` may be null; else it outlives this object.
  explicit Python(Services* services) : services_(services) {}

  // Why no program can be run: no sandbox, or no python3 in it. "" where one can. Found out once.
  const std::string& why_not();
  const std::string& version();  // "3.11.2"; only where why_not() is ""

  // Runs `code` in a fresh process with the standard library, an empty folder and no environment but a fixed
  // hash seed: `time` of wall and of CPU, 512 MiB, one process without threads, 4 MiB of output. Only where
  // why_not() is "". Throws Error{kIo} where the sandbox itself failed.
  ExecResult run(const std::string& code, std::string stdin_text, std::chrono::milliseconds time);

 private:
  Services* services_;
  std::once_flag asked_;
  Sandbox* sandbox_ = nullptr;
  std::string why_not_, version_;
};

// Why a program did not end well: the limit it met, or the last line of its stderr.
std::string error_of(const ExecResult& result, std::chrono::seconds time);

}  // namespace micius
