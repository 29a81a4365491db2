#include "engine/float_rows.h"

#include <cstdlib>
#include <new>

#include <sys/mman.h>

namespace micius {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20, kCacheLine = 64;

}  // namespace

void FloatRows::resize(std::size_t count) {
  if (count > room_) {
    floats_.reset();
    size_ = room_ = 0;
    const std::size_t bytes = count * sizeof(float);
    void* rows = nullptr;
    if (posix_memalign(&rows, bytes >= kHugePage ? kHugePage : kCacheLine, bytes) != 0)
      throw std::bad_alloc();
    if (bytes >= kHugePage) madvise(rows, bytes, MADV_HUGEPAGE);  // only a wish; the rest has small pages
    floats_.reset(static_cast<float*>(rows));
    room_ = count;
  }
  size_ = count;
}

void FloatRows::Free::operator()(float* floats) const { std::free(floats); }

}  // namespace micius
