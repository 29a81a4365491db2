// Memory of the rows that one op writes and the next reads.
#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace micius {

// 64-byte aligned; large blocks in huge pages where the kernel grants them, because each row of a wide matrix
// lies on pages of its own, more of them than a processor knows the addresses of.
std::byte* take_rows(std::size_t bytes);  // throws std::bad_alloc
void give_rows(std::byte* rows);

template <typename T>
struct RowAllocator {
  using value_type = T;
  RowAllocator() = default;
  template <typename U>
  explicit RowAllocator(const RowAllocator<U>&) {}
  T* allocate(std::size_t count) { return reinterpret_cast<T*>(take_rows(count * sizeof(T))); }
  void deallocate(T* rows, std::size_t) { give_rows(reinterpret_cast<std::byte*>(rows)); }
  void construct(T* place) { ::new (place) T; }  // an op writes it before anybody reads it
  void construct(T* place, const T& value) { ::new (place) T(value); }
  bool operator==(const RowAllocator&) const = default;
};

// What resize() adds is undefined.
using FloatRows = std::vector<float, RowAllocator<float>>;

}  // namespace micius
