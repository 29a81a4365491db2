// The memory of mapped files.
#pragma once

#include <cstddef>
#include <span>

namespace micius {

// Gives the memory of a read-only file map back to the system. What is touched again is read again, most
// often from the kernel's cache of the file, so others may read meanwhile.
void release_pages(std::span<const std::byte> map);

}  // namespace micius
