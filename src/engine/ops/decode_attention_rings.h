// How keys and values come to shared memory, for the kernel of decode attention.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/decode_attention.h"

namespace micius {

template <typename D>
MICIUS_KERNEL DecodeSegment load_segment(D& d, const DecodeSegment* p) {
  return {d.load(&p->sequence), d.load(&p->group), d.load(&p->first_page), d.load(&p->begin),
          d.load(&p->end),      d.load(&p->item),  d.load(&p->splits),     d.load(&p->first),
          d.load(&p->partial),  d.load(&p->next)};
}

// Stages [first, first + count) of a sequence, in the order of its tokens.
struct StageRange {
  MICIUS_KERNEL StageRange(const DecodeSegment& segment, unsigned parts)
      : first(segment.begin / kPartTokens >> parts / 2),  // parts / 2: log2 of 1, 2 or 4
        count(((segment.end - 1) / kPartTokens >> parts / 2) + 1 - first) {}
  unsigned first, count;
};

template <typename D>
MICIUS_KERNEL const std::byte* stage_bytes(D&, const DecodeArgs& args, std::uint32_t page, unsigned group,
                                           unsigned part) {
  return args.pages + page * args.layout.page_bytes() + group * args.layout.group_bytes() +
         part % kPageParts * args.layout.part_bytes;
}

// Stages that a warp of its own fetches for all others: one ring for the block, which goes on from one
// segment to the next. Each warp of a column tile takes every warps-th stage.
template <typename D>
class BulkRing {
 public:
  MICIUS_KERNEL BulkRing(D& d, const DecodeArgs& args, const DecodeShared& shared, unsigned warp)
      : d_(d), args_(args), shared_(shared), next_(warp) {
    move_by(warp);
  }

  // By all threads of the block, once.
  static MICIUS_KERNEL void start(D& d, const DecodeArgs& args, const DecodeShared& shared, unsigned tiles) {
    for (unsigned i = d.thread(); i < args.tuning.stages; i += 32 * (shared.warps + 1)) {
      d.barrier_init(shared.full + 8 * i, 1);
      d.barrier_init(shared.empty + 8 * i, 32 * tiles);
      d.fence_barriers();
    }
    d.sync_block();
  }
  // The whole work of the warp that fetches.
  MICIUS_KERNEL void fetch() {
    for (unsigned at = d_.block();;) {
      const DecodeSegment segment = load_segment(d_, args_.segments + at);
      fetch_segment(segment);
      if (segment.next == 0) return;
      at = segment.next;
    }
  }

  // The warp's first stage of a segment.
  MICIUS_KERNEL unsigned begin(const DecodeSegment&, const StageRange&) const { return next_ - base_; }
  MICIUS_KERNEL SharedAddress acquire() {
    d_.barrier_wait(shared_.full + 8 * slot_, parity_);
    d_.sync_warp();
    return slot_ * shared_.stage;
  }
  // Each lane says for itself that it has read the slot: compute-sanitizer takes no lane's word for others.
  MICIUS_KERNEL void release() {
    d_.barrier_arrive(shared_.empty + 8 * slot_);
    next_ += args_.tuning.warps;
    move_by(args_.tuning.warps);
  }
  MICIUS_KERNEL void end(const StageRange& stages) { base_ += stages.count; }

 private:
  MICIUS_KERNEL void move_by(unsigned stages) {
    slot_ += stages;
    while (slot_ >= args_.tuning.stages) {
      slot_ -= args_.tuning.stages;
      parity_ ^= 1U;
    }
  }
  MICIUS_KERNEL void fetch_segment(const DecodeSegment& segment) {
    const StageRange stages(segment, args_.tuning.parts);
    const unsigned first_page = stages.first * args_.tuning.parts / kPageParts;
    const unsigned last_page = (segment.end - 1) / (kPageParts * kPartTokens);
    const bool has_newest = segment.splits == 1 || segment.partial + 1 == segment.first + segment.splits;
    unsigned numbers_at = first_page - 32;  // of the page whose number lane 0 has
    std::uint32_t numbers = 0;
    for (unsigned i = 0; i < stages.count; ++i) {
      const unsigned part = (stages.first + i) * args_.tuning.parts, page = part / kPageParts;
      if (page - numbers_at == 32) {
        numbers_at = page;
        const unsigned mine = page + d_.lane();
        numbers = d_.load(args_.table + segment.first_page + (mine < last_page ? mine : last_page));
      }
      const std::uint32_t number = d_.shuffle(numbers, page - numbers_at);
      if (has_newest && i + 1 == stages.count) d_.wait_for_previous();
      d_.barrier_wait(shared_.empty + 8 * slot_, parity_ ^ 1U);
      if (d_.lane() == 0) {
        d_.barrier_expect(shared_.full + 8 * slot_, shared_.stage);
        d_.copy_bulk(slot_ * shared_.stage, stage_bytes(d_, args_, number, segment.group, part),
                     shared_.stage, shared_.full + 8 * slot_);
      }
      move_by(1);
    }
  }

  D& d_;
  const DecodeArgs& args_;
  const DecodeShared& shared_;
  unsigned next_;      // stage of the block that is this warp's next
  unsigned base_ = 0;  // stages of the segments before
  unsigned slot_ = 0, parity_ = 0;
};

// Stages that each warp fetches for itself, up to 3 ahead, in a ring of its own: it waits for no other warp.
// Column tiles beyond the first read the same bytes again, from L2.
template <typename D>
class OwnRing {
 public:
  MICIUS_KERNEL OwnRing(D& d, const DecodeArgs& args, const DecodeShared& shared, unsigned warp)
      : d_(d),
        args_(args),
        shared_(shared),
        warp_(warp),
        ring_(d.warp() * args.tuning.stages * shared.stage) {}

  static MICIUS_KERNEL void start(D&, const DecodeArgs&, const DecodeShared&, unsigned) {}
  MICIUS_KERNEL void fetch() {}

  MICIUS_KERNEL unsigned begin(const DecodeSegment& segment, const StageRange& stages) {
    ahead_ = warp_;
    segment_ = segment;
    stages_ = &stages;
    fill_ = slot_ = 0;
    for (unsigned i = 1; i < args_.tuning.stages; ++i) fetch_next();
    return warp_;
  }
  MICIUS_KERNEL SharedAddress acquire() {
    fetch_next();
    if (args_.tuning.stages == 1) {
      d_.template wait_copies<0>();
    } else if (args_.tuning.stages == 2) {
      d_.template wait_copies<1>();
    } else if (args_.tuning.stages == 3) {
      d_.template wait_copies<2>();
    } else {
      d_.template wait_copies<3>();
    }
    d_.sync_warp();
    return ring_ + slot_ * shared_.stage;
  }
  MICIUS_KERNEL void release() {
    d_.sync_warp();
    slot_ = slot_ + 1 == args_.tuning.stages ? 0 : slot_ + 1;
  }
  MICIUS_KERNEL void end(const StageRange&) { d_.template wait_copies<0>(); }

 private:
  // A group of copies for each call, empty behind the last stage.
  MICIUS_KERNEL void fetch_next() {
    if (ahead_ < stages_->count) {
      const unsigned part = (stages_->first + ahead_) * args_.tuning.parts;
      const std::uint32_t number = d_.load(args_.table + segment_.first_page + part / kPageParts);
      const std::byte* from = stage_bytes(d_, args_, number, segment_.group, part);
      for (unsigned at = 16 * d_.lane(); at < shared_.stage; at += 16 * 32) {
        d_.copy_async(ring_ + fill_ * shared_.stage + at, from + at);
      }
      ahead_ += args_.tuning.warps;
      fill_ = fill_ + 1 == args_.tuning.stages ? 0 : fill_ + 1;
    }
    d_.commit_copies();
  }

  D& d_;
  const DecodeArgs& args_;
  const DecodeShared& shared_;
  unsigned warp_;
  SharedAddress ring_;
  unsigned ahead_ = 0;  // the next stage to fetch
  DecodeSegment segment_;
  const StageRange* stages_ = nullptr;
  unsigned fill_ = 0, slot_ = 0;
};

}  // namespace micius
