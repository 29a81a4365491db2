#include "engine/mapped_pages.h"

#include <sys/mman.h>

namespace micius {

void release_pages(std::span<const std::byte> map) {
  if (map.empty()) return;
  madvise(const_cast<std::byte*>(map.data()), map.size(), MADV_DONTNEED);  // only a wish
}

}  // namespace micius
