// The kernel of decode attention, over the device layer: warps that calculate, with bulk copies one that
// fetches for them, and the sums of what they have seen.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/attention_device.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/decode_attention_merge.h"
#include "engine/ops/decode_attention_rings.h"
#include "engine/ops/decode_attention_warp.h"

namespace micius {

// All of a block's work. kKTiles and kVTiles are the layout's.
template <typename D, typename T, typename Ring, int kKTiles, int kVTiles>
MICIUS_KERNEL void decode_attention(D& d, const DecodeArgs& args) {
  const unsigned tiles = (args.layout.most_q + 7) / 8;
  const DecodeShared shared(args.layout, args.tuning, tiles);
  unsigned tile = 0, warp = d.warp();
  for (; warp >= args.tuning.warps; warp -= args.tuning.warps) ++tile;
  d.start_next();
  Ring::start(d, args, shared, tiles);
  if (tile == tiles) {
    Ring(d, args, shared, 0).fetch();
    return;
  }
  Ring ring(d, args, shared, warp);
  WarpAttention<D, T, kKTiles, kVTiles> attention(d, args);
  DecodeMerge<D, kVTiles> merge(d, args, shared);
  for (unsigned at = d.block();;) {
    const DecodeSegment segment = load_segment(d, args.segments + at);
    const StageRange stages(segment, args.tuning.parts);
    attention.choose(segment, tile);
    if (at == d.block()) d.wait_for_previous();
    attention.begin();
    for (unsigned i = ring.begin(segment, stages); i < stages.count; i += args.tuning.warps) {
      const SharedAddress stage = ring.acquire();
      for (unsigned part = 0; part < args.tuning.parts; ++part) {
        const unsigned token = ((stages.first + i) * args.tuning.parts + part) * kPartTokens;
        if (token < segment.end && token + kPartTokens > segment.begin) {
          attention.take(stage + part * args.layout.part_bytes, token, segment);
        }
      }
      ring.release();
    }
    ring.end(stages);
    attention.put(shared);
    merge.sync();
    merge.finish(segment);
    if (segment.next == 0) break;
    at = segment.next;
    merge.sync();
  }
}

}  // namespace micius
