// Fetching ahead by software.
#pragma once

#include <cstddef>

#include "engine/cpu.h"

namespace micius {
namespace {

// Asks for kBytes from `at` on; any address will do.
template <std::size_t kBytes>
void fetch_lines(const std::byte* at, CacheLevel into) {
  for (std::size_t line = 0; line < kBytes; line += 64) {
    if (into == CacheLevel::kL1) {
      __builtin_prefetch(at + line, 0, 3);
    } else {
      __builtin_prefetch(at + line, 0, 2);
    }
  }
}

// The same of what a reader that is at `at` will come to.
template <std::size_t kBytes>
void fetch_lines(const std::byte* at, FetchAhead ahead) {
  if (ahead.bytes > 0) fetch_lines<kBytes>(at + ahead.bytes, ahead.into);
}

// Asks for what a reader of pages will come to, each line once. The lead grows up to `ahead` while keys are
// gone through again and while scores become weights, so that memory is not idle meanwhile. The heads of a
// task lie in a row within a page, K's before V's if it has all of them, so that a page is one stream.
class Fetch {
 public:
  explicit Fetch(FetchAhead ahead) : ahead_(ahead) {}

  // The reader comes to a page; `following`: the one after it, or null.
  void turn(const std::byte* page, std::size_t bytes, const std::byte* following) {
    asked_ = asked_ > bytes_ ? asked_ - bytes_ : 0;
    page_ = page;
    bytes_ = bytes;
    following_ = following;
  }
  // It is at `at` of the page and reads about kBytes until the next call.
  template <std::size_t kBytes>
  void operator()(const void* at) {
    if (ahead_.bytes == 0) return;
    const auto* const reader = static_cast<const std::byte*>(at);
    if (ahead_.into == CacheLevel::kL2) fetch_lines<kBytes>(reader + kNear, CacheLevel::kL1);
    const auto here = static_cast<std::size_t>(reader - page_);
    if (asked_ >= here + ahead_.bytes) return;
    if (asked_ < here) asked_ = here;
    if (asked_ < bytes_) {
      fetch_lines<2 * kBytes>(page_ + asked_, ahead_.into);
    } else if (following_ != nullptr) {
      fetch_lines<2 * kBytes>(following_ + (asked_ - bytes_), ahead_.into);
    }
    asked_ += 2 * kBytes;
  }

 private:
  static constexpr std::size_t kNear = 1024;  // from L2 into L1

  FetchAhead ahead_;
  std::size_t asked_ = 0, bytes_ = 0;  // asked_: from page_ on
  const std::byte *page_ = nullptr, *following_ = nullptr;
};

}  // namespace
}  // namespace micius
