// The memory of mapped files.
#pragma once

#include <cstddef>
#include <span>

namespace micius {

// Gives the memory of a part of a read-only file map back to the system: whole pages of it alone. They are
// read again when they are touched, most often from the kernel's cache of the file. What lies elsewhere, such
// as values made from a file's, is left alone.
void release_pages(std::span<const std::byte> map, std::span<const std::byte> part);

}  // namespace micius
