// Keys and values come to the pages of a GPU: those of new tokens, and whole pages from other pages.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/ops/decode_attention.h"

namespace micius {

// Of a block of either kernel.
inline constexpr std::uint32_t kAppendThreads = 256;

// A token a block. All memory is the device's, but in the emulation; nothing is owned.
struct KvAppendArgs {
  DecodeLayout layout;
  const float* k = nullptr;  // [tokens, n_k, d_k], normed and RoPE applied; tokens are k_stride floats apart
  const float* v = nullptr;  // [tokens, n_v, d_v]; tokens are v_stride floats apart
  std::uint32_t k_stride = 0, v_stride = 0;
  const std::uint32_t* slots = nullptr;  // [tokens]: 64 * page number + slot in the page, none of them twice
  std::byte* pages = nullptr;            // [page number][page_bytes]
  bool operator==(const KvAppendArgs&) const = default;
};

// Of page numbers. No page is both copied from and copied to.
struct KvPageCopy {
  std::uint32_t from = 0, to = 0;
};

// Whole pages, a part of a super-group a block: what a fork of a sequence needs for the page that it does not
// share, and what a cache needs that is made anew for each token, as the published timings have it
// (arXiv 2501.13629, section 4: torch.cat).
struct KvCopyArgs {
  DecodeLayout layout;
  const KvPageCopy* copies = nullptr;
  std::byte* pages = nullptr;
  bool operator==(const KvCopyArgs&) const = default;
};

// Blocks for `copies` copies.
constexpr std::uint32_t kv_copy_blocks(const DecodeLayout& layout, std::uint32_t copies) {
  return copies * layout.groups * kPageParts;
}

}  // namespace micius
