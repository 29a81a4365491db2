// Fetching ahead by software.
#pragma once

#include <cstddef>

#include "engine/cpu.h"

namespace micius {
namespace {

// Asks for kBytes from `at` on; any address will do.
template <std::size_t kBytes>
void fetch_lines(const std::byte* at, CacheLevel into) {
  for (std::size_t line = 0; line < kBytes; line += 64) {
    if (into == CacheLevel::kL1) {
      __builtin_prefetch(at + line, 0, 3);
    } else {
      __builtin_prefetch(at + line, 0, 2);
    }
  }
}

// The same of what a reader that is at `at` will come to.
template <std::size_t kBytes>
void fetch_lines(const std::byte* at, FetchAhead ahead) {
  if (ahead.bytes > 0) fetch_lines<kBytes>(at + ahead.bytes, ahead.into);
}

}  // namespace
}  // namespace micius
