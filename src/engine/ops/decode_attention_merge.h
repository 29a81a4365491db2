// Sums of what several have seen of a q head, for the kernel of decode attention: of the warps of a
// block, then of the blocks that share a (sequence, super-group). A thread has four neighbouring dims of a q
// head, and adds in the order of the tokens, so that no bit depends on who comes last.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/attention_device.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/decode_attention_partials.h"

namespace micius {

template <typename D, int kVTiles>
class DecodeMerge {
 public:
  MICIUS_KERNEL DecodeMerge(D& d, const DecodeArgs& args, const DecodeShared& shared)
      : d_(d),
        args_(args),
        shared_(shared),
        threads_(32 * shared.warps),
        row_(d.thread() / kRowThreads),
        dim_(d.thread() % kRowThreads * 4) {}

  // After sync(), by all warps that calculate.
  MICIUS_KERNEL void finish(const DecodeSegment& segment) {
    const unsigned heads = args_.layout.q_heads(segment.group), rows = threads_ / kRowThreads;
    for (unsigned q = row_; q < heads; q += rows) {
      const Sum sum = sum_of_warps(q);
      if (segment.splits == 1) {
        put_result(segment, q, sum);
      } else {
        put_partial(segment.partial * args_.layout.most_q + q, sum);
      }
    }
    if (segment.splits == 1) return;
    sync();
    if (d_.thread() == 0) {
      d_.shared_store(shared_.ticket, d_.count(args_.tickets + segment.item, segment.splits - 1));
    }
    sync();
    if (d_.template shared_load<std::uint32_t>(shared_.ticket) != segment.splits - 1) return;
    // Lanes take part together, those behind the last head too.
    for (unsigned first = 0; first + d_.warp() * kWarpRows < heads; first += rows) {
      const unsigned q = first + row_;
      const Sum sum = sum_of_blocks(segment, q < heads ? q : heads - 1, heads);
      if (q < heads) put_result(segment, q, sum);
    }
  }
  MICIUS_KERNEL void sync() { d_.sync_threads(1, threads_); }

 private:
  static constexpr unsigned kRow = 16 * kVTiles;
  static constexpr unsigned kRowThreads = kRow / 4, kWarpRows = 32 / kRowThreads;
  static constexpr unsigned kWarpBatch = 4;  // of warps, at a time
  static constexpr unsigned kBatch = Partials<D, kVTiles>::kBatch;
  static constexpr unsigned kChunk = 64, kSums = kChunk / kRowThreads;  // whose weights a head's threads hold

  struct Sum {
    float reference = kMinusInfinity, sum = 0, out[4] = {0, 0, 0, 0};
    MICIUS_KERNEL void add(float weight, const Float4& values) {
      out[0] += weight * values.x;
      out[1] += weight * values.y;
      out[2] += weight * values.z;
      out[3] += weight * values.w;
    }
  };

  MICIUS_KERNEL Sum sum_of_warps(unsigned q) {
    const unsigned count = args_.tuning.warps, first = q / 8 * count * 8 + q % 8;
    const auto column = [&](unsigned i) { return first + 8 * (i < count ? i : count - 1); };
    Sum all;
    for (unsigned from = 0; from < count; from += kWarpBatch) {
      for (unsigned i = from; i < from + kWarpBatch; ++i) {
        const float reference = d_.template shared_load<float>(shared_.sums + 8 * column(i));
        all.reference = larger(all.reference, reference);
      }
    }
    for (unsigned from = 0; from < count; from += kWarpBatch) {
      Float2 sums[kWarpBatch];
      Float4 values[kWarpBatch];
      for (unsigned i = 0; i < kWarpBatch; ++i) {
        sums[i] = d_.template shared_load<Float2>(shared_.sums + 8 * column(from + i));
        values[i] =
            d_.template shared_load<Float4>(shared_.merge + column(from + i) * shared_.row + dim_ * 4);
      }
      for (unsigned i = 0; i < kWarpBatch; ++i) {
        const float weight = from + i < count ? d_.exp2(sums[i].x - all.reference) : 0;
        all.sum += weight * sums[i].y;
        all.add(weight, values[i]);
      }
    }
    return all;
  }

  // Of the q head `q`, by its kRowThreads lanes; `heads` are those of the segment. Each lane has the sums of
  // every kRowThreads-th block, which are loaded before the values queue for the same memory. A block
  // runs this once, so that fetching its code takes time too: the loop is not unrolled, and what it needs of
  // the sums moves to their front.
  MICIUS_KERNEL Sum sum_of_blocks(const DecodeSegment& segment, unsigned q, unsigned heads) {
    const unsigned warps = (heads + kWarpRows - 1) / kWarpRows;
    Partials<D, kVTiles> partials(d_, args_, shared_, segment, q, dim_,
                                  32 * (warps < shared_.warps ? warps : shared_.warps));
    Sum all;
    Float2 sums[kSums];
    for (unsigned from = 0; from < segment.splits; from += kChunk) {
      load_sums(segment, q, from, sums);
      if (from == 0) partials.start();
      for (const Float2& each : sums) all.reference = larger(all.reference, each.x);
    }
    for (unsigned mask = 1; mask < kRowThreads; mask *= 2) {
      all.reference = larger(all.reference, d_.shuffle_xor(all.reference, mask));
    }
    for (unsigned from = 0; from < segment.splits; from += kRowThreads) {
      if (segment.splits > kChunk && from % kChunk == 0) load_sums(segment, q, from, sums);
      const float weight = d_.exp2(sums[0].x - all.reference);
      all.sum += weight * sums[0].y;
      for (unsigned s = 0; s + 1 < kSums; ++s) sums[s] = sums[s + 1];
      add_blocks(partials, from, segment.splits, weight, all);
    }
    for (unsigned mask = 1; mask < kRowThreads; mask *= 2) all.sum += d_.shuffle_xor(all.sum, mask);
    return all;
  }
  // The kRowThreads blocks from `from` on; `weight` is that of the one that is this lane's.
  MICIUS_KERNEL void add_blocks(Partials<D, kVTiles>& partials, unsigned from, unsigned count, float weight,
                                Sum& all) {
    const unsigned end = from + kRowThreads < count ? from + kRowThreads : count;
    for (unsigned i = from; i < end; i += kBatch) {
      Float4 values[kBatch];
      partials.take(i, values);
      for (unsigned b = 0; b < kBatch; ++b) {
        all.add(d_.shuffle(weight, d_.lane() / kRowThreads * kRowThreads + i - from + b), values[b]);
      }
    }
  }
  // Behind the last block's come some that weigh nothing.
  MICIUS_KERNEL void load_sums(const DecodeSegment& segment, unsigned q, unsigned from,
                               Float2 (&sums)[kSums]) {
    for (unsigned s = 0; s < kSums; ++s) {
      const unsigned split = from + s * kRowThreads + dim_ / 4;
      const bool there = split < segment.splits;
      sums[s] = d_.load_fresh2(
          args_.sums +
          2 * ((segment.first + (there ? split : segment.splits - 1)) * args_.layout.most_q + q));
      sums[s] = {there ? sums[s].x : kMinusInfinity, there ? sums[s].y : 0};
    }
  }

  MICIUS_KERNEL void put_partial(unsigned row, const Sum& sum) {
    d_.store(reinterpret_cast<Float4*>(args_.partials + row * kRow + dim_),
             Float4{sum.out[0], sum.out[1], sum.out[2], sum.out[3]});
    if (dim_ == 0) d_.store(reinterpret_cast<Float2*>(args_.sums) + row, {sum.reference, sum.sum});
  }
  MICIUS_KERNEL void put_result(const DecodeSegment& segment, unsigned q, const Sum& sum) {
    const unsigned row = segment.sequence * args_.layout.n_q + args_.layout.first_q(segment.group) + q;
    const float scale = 1 / sum.sum;
    for (unsigned i = 0; i < 4; ++i) {
      if (dim_ + i < args_.layout.d_v) {
        d_.store(args_.out + row * args_.layout.d_v + dim_ + i, sum.out[i] * scale);
      }
    }
    if (dim_ == 0 && args_.lse != nullptr) {
      d_.store(args_.lse + row, (sum.reference + d_.log2(sum.sum)) * kLn2);
    }
  }

  D& d_;
  const DecodeArgs& args_;
  const DecodeShared& shared_;
  unsigned threads_;    // that calculate
  unsigned row_, dim_;  // this thread's: q head at a time, and first of four dims
};

}  // namespace micius
