#include "engine/tensor.h"

#include <algorithm>
#include <array>

#include <sys/mman.h>

#include "base/error.h"

namespace micius {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
constexpr std::size_t kArenaChunk = std::size_t{64} << 20;  // the kernel gives what is written to

}  // namespace

std::string_view dtype_name(DType dtype) {
  constexpr std::array<std::string_view, 11> kNames = {"F32",  "F16",  "BF16", "Q8_0", "Q4_0", "Q4_1",
                                                       "Q5_0", "Q5_1", "Q4_K", "Q5_K", "Q6_K"};
  return kNames[static_cast<std::size_t>(dtype)];
}

Buffer::Buffer(std::size_t bytes) {
  if (bytes == 0) return;
  // A map of whole huge pages is aligned to one by recent kernels; where it is not, only its edges lose.
  const std::size_t unit = bytes >= kHugePage ? kHugePage : 4096;
  const std::size_t size = (bytes + unit - 1) / unit * unit;
  void* data = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED) {
    fail(ErrorCode::kIo, "no memory for {} MB of model data; use a smaller model, context or batch",
         bytes >> 20);
  }
  // Only wishes. What does not fill a huge page has small ones, so that no more is taken than is used.
  const std::size_t whole = bytes / kHugePage * kHugePage;
  madvise(data, whole, MADV_HUGEPAGE);
  madvise(static_cast<std::byte*>(data) + whole, size - whole, MADV_NOHUGEPAGE);
  data_ = {static_cast<std::byte*>(data), Unmap{size}};
}

void Buffer::Unmap::operator()(std::byte* data) const { munmap(data, bytes); }

std::byte* Arena::take(std::size_t bytes) {
  const std::size_t size = (bytes + 63) / 64 * 64;
  if (chunks_.empty() || chunks_.back().size() - used_ < size) {
    chunks_.emplace_back(std::max(size, kArenaChunk));
    used_ = 0;
  }
  std::byte* const data = chunks_.back().data() + used_;
  used_ += size;
  return data;
}

std::byte* Scratch::get(std::size_t bytes) {
  if (bytes > buffer_.size()) {
    buffer_ = Buffer();
    buffer_ = Buffer(bytes + bytes / 4);
  }
  return buffer_.data();
}

}  // namespace micius
