#include "engine/mapped_pages.h"

#include <cstdint>
#include <functional>

#include <sys/mman.h>
#include <unistd.h>

namespace micius {

void release_pages(std::span<const std::byte> map, std::span<const std::byte> part) {
  const std::less_equal<> before;  // holds for pointers into different objects too
  if (!before(map.data(), part.data()) || !before(part.data() + part.size(), map.data() + map.size())) return;
  const auto page = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto first = reinterpret_cast<std::uintptr_t>(part.data());
  const std::uintptr_t begin = (first + page - 1) / page * page, end = (first + part.size()) / page * page;
  if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED);  // only a wish
}

}  // namespace micius
