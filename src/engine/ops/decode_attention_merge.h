// Sums of what several have seen of a q head, for the kernel of decode_attention_kernel.h: of the warps of a
// block, then of the blocks that share a (sequence, super-group).
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/decode_attention_phases.h"

namespace micius {

inline constexpr float kMinusInfinity = -__builtin_huge_valf();

// What warps have left in shared memory, from column `first` on.
template <typename D>
class WarpResults {
 public:
  MICIUS_KERNEL WarpResults(D& d, const DecodeShared& shared, unsigned first)
      : d_(d), shared_(shared), first_(first) {}
  MICIUS_KERNEL Float2 sums(unsigned i) const {
    return d_.template shared_load<Float2>(shared_.sums + 8 * (first_ + 8 * i));
  }
  MICIUS_KERNEL Float4 values(unsigned i, unsigned dim) const {
    return d_.template shared_load<Float4>(shared_.merge + (first_ + 8 * i) * shared_.row + dim * 4);
  }

 private:
  D& d_;
  const DecodeShared& shared_;
  unsigned first_;
};

// What blocks have left in global memory, from row `first` on.
template <typename D, int kVTiles>
class BlockResults {
 public:
  MICIUS_KERNEL BlockResults(D& d, const DecodeArgs& args, unsigned first)
      : d_(d), args_(args), first_(first) {}
  MICIUS_KERNEL Float2 sums(unsigned i) const {
    return d_.load_fresh2(args_.sums + 2 * (first_ + i * args_.layout.most_q));
  }
  MICIUS_KERNEL Float4 values(unsigned i, unsigned dim) const {
    return d_.load_fresh4(args_.partials + (first_ + i * args_.layout.most_q) * (16 * kVTiles) + dim);
  }

 private:
  D& d_;
  const DecodeArgs& args_;
  unsigned first_;
};

template <typename D, int kVTiles>
class DecodeMerge {
 public:
  MICIUS_KERNEL DecodeMerge(D& d, const DecodeArgs& args, const DecodeShared& shared)
      : d_(d), args_(args), shared_(shared) {}

  // After sync(), by all warps that calculate.
  MICIUS_KERNEL void finish(const DecodeSegment& segment) {
    const unsigned heads = args_.layout.q_heads(segment.group);
    for (unsigned q = d_.warp(); q < heads; q += shared_.warps) {
      const unsigned first = q / 8 * args_.tuning.warps * 8 + q % 8;
      const Sum sum = sum_of<kWarpBatch>(WarpResults<D>(d_, shared_, first), args_.tuning.warps);
      if (segment.splits == 1) {
        put_result(segment, q, sum);
      } else {
        put_partial(segment.partial * args_.layout.most_q + q, sum);
      }
    }
    d_.mark(kPhaseMerged);
    if (segment.splits == 1) return;
    sync();
    if (d_.thread() == 0) {
      d_.shared_store(shared_.ticket, d_.count(args_.tickets + segment.item, segment.splits - 1));
    }
    sync();
    d_.mark(kPhaseCounted);
    if (d_.template shared_load<std::uint32_t>(shared_.ticket) != segment.splits - 1) return;
    for (unsigned q = d_.warp(); q < heads; q += shared_.warps) {
      const BlockResults<D, kVTiles> results(d_, args_, segment.first * args_.layout.most_q + q);
      put_result(segment, q, sum_of<kBlockBatch>(results, segment.splits));
    }
  }
  MICIUS_KERNEL void sync() { d_.sync_threads(1, 32 * shared_.warps); }

 private:
  static constexpr unsigned kRow = 16 * kVTiles;
  static constexpr unsigned kRowLanes = kRow / 4, kRows = 32 / kRowLanes;  // lanes of a row, rows at a time
  static constexpr unsigned kWarpBatch = 16 / kRows < 4 ? 4 : 16 / kRows < 8 ? 16 / kRows : 8;
  static constexpr unsigned kBlockBatch = 32 / kRows < 16 ? 32 / kRows : 16;

  // The first kRowLanes lanes have four dims each.
  struct Sum {
    float reference = kMinusInfinity, sum = 0, out[4] = {0, 0, 0, 0};
  };

  // Of `count` results. Loads come first, kBatch rows and more in flight: they are what takes the time.
  template <unsigned kBatch, typename Results>
  MICIUS_KERNEL Sum sum_of(const Results& results, unsigned count) {
    Sum all;
    for (unsigned from = 0; from < count; from += 32) {
      Float2 sums{kMinusInfinity, 0};
      if (from + d_.lane() < count) sums = results.sums(from + d_.lane());
      Float4 values[kBatch];
      load_rows<kBatch>(results, from, count, values);
      float reference = sums.x > all.reference ? sums.x : all.reference;
      for (unsigned mask = 1; mask < 32; mask *= 2) {
        const float other = d_.shuffle_xor(reference, mask);
        reference = other > reference ? other : reference;
      }
      const float factor = d_.exp2(all.reference - reference), weight = d_.exp2(sums.x - reference);
      all.reference = reference;
      all.sum = all.sum * factor + weight * sums.y;
      for (float& out : all.out) out *= factor;
      add_rows<kBatch>(0, weight, values, all);
      for (unsigned at = kBatch * kRows; at < 32 && from + at < count; at += kBatch * kRows) {
        load_rows<kBatch>(results, from + at, count, values);
        add_rows<kBatch>(at, weight, values, all);
      }
    }
    for (unsigned mask = 1; mask < 32; mask *= 2) all.sum += d_.shuffle_xor(all.sum, mask);
    for (unsigned mask = kRowLanes; mask < 32; mask *= 2) {
      for (float& out : all.out) out += d_.shuffle_xor(out, mask);
    }
    return all;
  }
  // Behind the last result that one again, which weighs nothing there.
  template <unsigned kBatch, typename Results>
  MICIUS_KERNEL void load_rows(const Results& results, unsigned from, unsigned count,
                               Float4 (&values)[kBatch]) {
    for (unsigned i = 0; i < kBatch; ++i) {
      const unsigned result = from + i * kRows + d_.lane() / kRowLanes;
      values[i] = results.values(result < count ? result : count - 1, d_.lane() % kRowLanes * 4);
    }
  }
  // `weight` is that of the result `lane`; the first row is of the result `at`.
  template <unsigned kBatch>
  MICIUS_KERNEL void add_rows(unsigned at, float weight, const Float4 (&values)[kBatch], Sum& all) {
    for (unsigned i = 0; i < kBatch; ++i) {
      const float w = d_.shuffle(weight, at + i * kRows + d_.lane() / kRowLanes);
      all.out[0] += w * values[i].x;
      all.out[1] += w * values[i].y;
      all.out[2] += w * values[i].z;
      all.out[3] += w * values[i].w;
    }
  }

  MICIUS_KERNEL void put_partial(unsigned row, const Sum& sum) {
    if (d_.lane() < kRowLanes) {
      d_.store(reinterpret_cast<Float4*>(args_.partials + row * kRow) + d_.lane(),
               Float4{sum.out[0], sum.out[1], sum.out[2], sum.out[3]});
    }
    if (d_.lane() == 0) d_.store(reinterpret_cast<Float2*>(args_.sums) + row, {sum.reference, sum.sum});
  }
  MICIUS_KERNEL void put_result(const DecodeSegment& segment, unsigned q, const Sum& sum) {
    const unsigned row = segment.sequence * args_.layout.n_q + args_.layout.first_q(segment.group) + q;
    const float scale = 1 / sum.sum;
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned dim = d_.lane() * 4 + i;
      if (d_.lane() < kRowLanes && dim < args_.layout.d_v) {
        d_.store(args_.out + row * args_.layout.d_v + dim, sum.out[i] * scale);
      }
    }
    if (d_.lane() == 0 && args_.lse != nullptr) {
      d_.store(args_.lse + row, (sum.reference + d_.log2(sum.sum)) * kLn2);
    }
  }

  static constexpr float kLn2 = 0.693147181F;
  D& d_;
  const DecodeArgs& args_;
  const DecodeShared& shared_;
};

}  // namespace micius
