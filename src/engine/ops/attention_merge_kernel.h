// The kernel that merges results of attention, over the device layer.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/attention_device.h"
#include "engine/ops/attention_merge.h"

namespace micius {

template <typename D>
MICIUS_KERNEL void merge_attention(D& d, const AttentionMergeArgs& args) {
  d.start_next();
  d.wait_for_previous();
  const std::size_t row = d.block(), width = std::size_t{args.n_q} * args.d_v;
  const std::uint32_t begin = d.load_fresh(args.first + row), end = d.load_fresh(args.first + row + 1);
  for (unsigned i = d.thread(); i < width; i += kMergeThreads) {
    const unsigned head = i / args.d_v;
    const auto lse_of = [&](std::uint32_t at) {
      return d.load_fresh(args.part_lse + std::size_t{d.load_fresh(args.parts + at)} * args.n_q + head);
    };
    float most = kMinusInfinity;
    for (std::uint32_t at = begin; at < end; ++at) most = larger(most, lse_of(at));
    float sum = 0, out = 0;
    for (std::uint32_t at = begin; at < end; ++at) {
      const float weight = d.exp2((lse_of(at) - most) * kLog2E);
      sum += weight;
      out += weight * d.load_fresh(args.part_out + d.load_fresh(args.parts + at) * width + i);
    }
    d.store(args.out + row * width + i, out / sum);
    if (args.lse != nullptr && i % args.d_v == 0) {
      d.store(args.lse + row * args.n_q + head, most + d.log2(sum) * kLn2);
    }
  }
}

}  // namespace micius
