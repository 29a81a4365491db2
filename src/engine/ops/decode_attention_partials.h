// How results of blocks come to the one that sums them up, for DecodeMerge.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/decode_attention.h"

namespace micius {

// Copies to shared memory of what the blocks of a segment's item have of four dims of a q head: a thread's
// own, which no other reads. All are under way at once where there is room. Where the block's stages are done
// with, their room is taken too: 80 KB, of which 40 blocks' results of 8 q heads of 64 dims take all.
template <typename D, int kVTiles>
class Partials {
 public:
  // Results at a time. Without the stages' room there is at least so much.
  static constexpr unsigned kBatch = kVTiles < 4 ? kVTiles : 4;

  // threads: the first of the block, which all take part.
  MICIUS_KERNEL Partials(D& d, const DecodeArgs& args, const DecodeShared& shared,
                         const DecodeSegment& segment, unsigned q, unsigned dim, unsigned threads)
      : d_(d),
        from_(args.partials + (segment.first * args.layout.most_q + q) * (16 * kVTiles) + dim),
        step_(args.layout.most_q * (16 * kVTiles)),
        count_(segment.splits),
        slot_bytes_(16 * threads) {
    const SharedAddress room = segment.next == 0 || !args.tuning.bulk ? 0 : shared.merge;
    slots_ = (shared.sums - room) / slot_bytes_ / kBatch * kBatch;
    at_ = room + 16 * d.thread();
  }
  // The next ones, in two groups, so that adding begins while the latter are under way.
  MICIUS_KERNEL void start() {
    const unsigned left = count_ - begun_, now = left < slots_ ? left : slots_;
    const unsigned half = (now + 2 * kBatch - 1) / (2 * kBatch) * kBatch;
    first_ = begun_;
    half_ = begun_ + (half < now ? half : now);
    copy_to(half_);
    copy_to(first_ + now);
  }
  // kBatch results from `i` on, behind the last that one again; i grows by kBatch.
  MICIUS_KERNEL void take(unsigned i, Float4 (&values)[kBatch]) {
    if (i == begun_) start();
    if (i == first_) d_.template wait_copies<1>();
    if (i == half_) d_.template wait_copies<0>();
    for (unsigned b = 0; b < kBatch; ++b) {
      const unsigned slot = (i + b < count_ ? i + b : count_ - 1) - first_;
      values[b] = d_.template shared_load<Float4>(at_ + slot * slot_bytes_);
    }
  }

 private:
  MICIUS_KERNEL void copy_to(unsigned end) {
    for (; begun_ < end; ++begun_) {
      d_.copy_async(at_ + (begun_ - first_) * slot_bytes_, from_ + begun_ * step_);
    }
    d_.commit_copies();
  }

  D& d_;
  const float* from_;
  unsigned step_, count_, slot_bytes_, slots_;
  SharedAddress at_;  // of this thread's first slot
  unsigned first_ = 0, half_ = 0,
           begun_ = 0;  // of this round: its first, the second group's; the next round's
};

}  // namespace micius
