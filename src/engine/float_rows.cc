#include "engine/float_rows.h"

#include <cstdlib>

#include <sys/mman.h>

namespace micius {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20, kCacheLine = 64;

}  // namespace

std::byte* take_rows(std::size_t bytes) {
  const std::size_t unit = bytes >= kHugePage ? kHugePage : kCacheLine;
  const std::size_t size = (bytes + unit - 1) / unit * unit;
  void* const rows = std::aligned_alloc(unit, size);
  if (rows == nullptr) throw std::bad_alloc();
  if (unit == kHugePage) madvise(rows, size, MADV_HUGEPAGE);  // only a wish
  return static_cast<std::byte*>(rows);
}

void give_rows(std::byte* rows) { std::free(rows); }

}  // namespace micius
