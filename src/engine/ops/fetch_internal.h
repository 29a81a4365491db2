// Fetching ahead by software.
#pragma once

#include <cstddef>

namespace micius {
namespace {

// Asks for kBytes from `at` on; any address will do.
template <std::size_t kBytes>
void fetch_lines(const std::byte* at) {
  for (std::size_t line = 0; line < kBytes; line += 64) __builtin_prefetch(at + line);
}

}  // namespace
}  // namespace micius
