// Memory of the rows that one op writes and the next reads.
#pragma once

#include <cstddef>
#include <memory>
#include <utility>

namespace micius {

// Floats, 64-byte aligned; many of them in huge pages where the kernel grants them, because each row of a
// wide matrix lies on pages of its own, more of them than a processor knows the addresses of. Has the memory
// of the most that it was asked for, and no more.
class FloatRows {
 public:
  FloatRows() = default;
  FloatRows(FloatRows&& other) noexcept
      : floats_(std::move(other.floats_)),
        size_(std::exchange(other.size_, 0)),
        room_(std::exchange(other.room_, 0)) {}

  // What was there stays if there is room for `count`; else all is undefined. Throws std::bad_alloc.
  void resize(std::size_t count);
  float* data() { return floats_.get(); }
  const float* data() const { return floats_.get(); }
  std::size_t size() const { return size_; }
  float* begin() { return data(); }
  float* end() { return data() + size_; }
  const float* begin() const { return data(); }
  const float* end() const { return data() + size_; }

 private:
  struct Free {
    void operator()(float* floats) const;
  };
  std::unique_ptr<float[], Free> floats_;
  std::size_t size_ = 0, room_ = 0;
};

}  // namespace micius
