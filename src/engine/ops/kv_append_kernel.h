// The kernels that store and copy keys and values, over the device layer.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/kv_append.h"

namespace micius {

// The rows of one token's K heads, or of its V heads. A thread writes two neighbouring dims at a time, so
// that a warp's stores are whole lines; the padding of a row is written too.
template <typename D, typename T>
class AppendRows {
 public:
  MICIUS_KERNEL AppendRows(D& d, const DecodeLayout& layout, std::byte* part, std::uint32_t token)
      : d_(d), layout_(layout), part_(part), token_(token) {}

  MICIUS_KERNEL void put_keys(const float* rows) {
    put(rows, layout_.n_k, layout_.k_heads, layout_.d_k, layout_.k_row(), layout_.k_tile(0));
  }
  MICIUS_KERNEL void put_values(const float* rows) {
    put(rows, layout_.n_v, layout_.v_heads, layout_.d_v, layout_.v_row(), layout_.v_tile(0));
  }

 private:
  // heads: all, and those of a super-group; tile: where the first of these begins in a part.
  MICIUS_KERNEL void put(const float* rows, unsigned heads, unsigned group_heads, unsigned dims,
                         unsigned row_bytes, unsigned tile) {
    const unsigned pairs = row_bytes / 4;
    for (unsigned i = d_.thread(); i < heads * pairs; i += kAppendThreads) {
      const unsigned head = i / pairs, dim = i % pairs * 2;
      const float* const row = rows + head * dims;
      const float x = dim < dims ? d_.load_fresh(row + dim) : 0;
      const float y = dim + 1 < dims ? d_.load_fresh(row + dim + 1) : 0;
      const unsigned at = tile + (head % group_heads * kPartTokens + token_) * row_bytes + 2 * dim;
      std::byte* const to = part_ + head / group_heads * layout_.group_bytes() + swizzled(at);
      d_.store(reinterpret_cast<std::uint32_t*>(to), d_.template pack<T>(x, y));
    }
  }

  D& d_;
  const DecodeLayout& layout_;
  std::byte* part_;      // of the first super-group
  std::uint32_t token_;  // of the part
};

template <typename D, typename T>
MICIUS_KERNEL void kv_append(D& d, const KvAppendArgs& args) {
  d.start_next();
  d.wait_for_previous();
  const std::size_t token = d.block();
  const std::uint32_t slot = d.load_fresh(args.slots + token);
  std::byte* const part = args.pages + slot / kPageTokens * args.layout.page_bytes() +
                          slot % kPageTokens / kPartTokens * args.layout.part_bytes;
  AppendRows<D, T> rows(d, args.layout, part, slot % kPartTokens);
  rows.put_keys(args.k + token * args.k_stride);
  rows.put_values(args.v + token * args.v_stride);
}

template <typename D>
MICIUS_KERNEL void kv_copy(D& d, const KvCopyArgs& args) {
  d.start_next();
  d.wait_for_previous();
  const unsigned parts = args.layout.groups * kPageParts;
  const KvPageCopy* const copy = args.copies + d.block() / parts;
  const std::size_t part = std::size_t{d.block() % parts} * args.layout.part_bytes;
  const std::byte* const from = args.pages + d.load_fresh(&copy->from) * args.layout.page_bytes() + part;
  std::byte* const to = args.pages + d.load_fresh(&copy->to) * args.layout.page_bytes() + part;
  for (unsigned at = 16 * d.thread(); at < args.layout.part_bytes; at += 16 * kAppendThreads) {
    d.store(reinterpret_cast<Float4*>(to + at), d.load_fresh4(reinterpret_cast<const float*>(from + at)));
  }
}

}  // namespace micius
