// The kernel of decode_attention.h, over the layer of lanes.h.
//
// A warp takes 16 tokens at a time: S^T = K Q^T with K as the operand of 16 rows and eight q heads as the
// columns, then O^T += V^T P^T. Where the eight q heads see several K or V heads, each head's product is
// added with the columns that do not see it set to zero. q is split in two 16-bit values, which costs nothing
// beside the memory and leaves the rounding of P as the only one. Every warp has an online softmax of its
// own; a running reference takes the maximum's place and moves only when a score outgrows it (lazy rescale),
// so in the loop lanes agree on nothing but that.
#pragma once

#include <iterator>
#include <type_traits>

#include "engine/device/lanes.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/decode_attention_rings.h"

namespace micius {

// Scores may exceed the reference by 2^14 and start at 2^6: f16 holds their exponentials, and those of small
// scores.
inline constexpr float kReferenceGap = 6, kReferenceSlack = 14;
inline constexpr float kMinusInfinity = -__builtin_huge_valf();

template <int kTiles>
using Tiles = std::integral_constant<std::uint32_t, kTiles>;

// Calls f with the numbers of tiles as types; they are one of kDecodeTiles.
template <std::size_t kIndex = 0, typename F>
void with_decode_tiles(const DecodeLayout& layout, const F& f) {
  constexpr std::uint32_t kK = kDecodeTiles[kIndex][0], kV = kDecodeTiles[kIndex][1];
  if (layout.k_tiles == kK && layout.v_tiles == kV) {
    f(Tiles<kK>{}, Tiles<kV>{});
  } else if constexpr (kIndex + 1 < std::size(kDecodeTiles)) {
    with_decode_tiles<kIndex + 1>(layout, f);
  }
}

// Eight q heads and the tokens that one warp has seen of them. In operands of eight columns lane l belongs to
// the q head l / 4; in sums to 2 (l % 4) and the one after it.
template <typename D, typename T, int kKTiles, int kVTiles>
class WarpAttention {
 public:
  MICIUS_KERNEL WarpAttention(D& d, const DecodeArgs& args) : d_(d), args_(args) {
    const unsigned lane = d.lane();
    k_row_ = (lane % 16) * args.layout.k_row() + lane / 16 * 16;
    v_row_ = (lane / 16 * 8 + lane % 8) * args.layout.v_row() + lane / 8 % 2 * 16;
  }

  // Takes the q heads 8 tile to 8 tile + 7 of the segment's super-group, and forgets what it has seen.
  MICIUS_KERNEL void begin(const DecodeSegment& segment, unsigned tile) {
    const DecodeLayout& layout = args_.layout;
    const unsigned heads = layout.q_heads(segment.group), first = 8 * tile;
    const unsigned last = first + 7 < heads ? first + 7 : heads - 1;
    k_first_ = first < heads ? layout.k_head(segment.group, first) : 0;
    v_first_ = first < heads ? layout.v_head(segment.group, first) : 0;
    k_last_ = first < heads ? layout.k_head(segment.group, last) : 0;
    v_last_ = first < heads ? layout.v_head(segment.group, last) : 0;
    const unsigned column = first + d_.lane() / 4;
    const bool there = column < heads;
    k_head_ = there ? layout.k_head(segment.group, column) : 0;
    v_head_ = there ? layout.v_head(segment.group, column) : 0;
    const float* q =
        args_.q + (segment.sequence * layout.n_q + layout.first_q(segment.group) + column) * layout.d_k;
    for (int tile_k = 0; tile_k < kKTiles; ++tile_k) {
      for (int half = 0; half < 2; ++half) {
        const unsigned dim = tile_k * 16 + half * 8 + d_.lane() % 4 * 2;
        const float x = there && dim < layout.d_k ? d_.load(q + dim) : 0;
        const float y = there && dim + 1 < layout.d_k ? d_.load(q + dim + 1) : 0;
        q_[tile_k][half] = d_.template pack<T>(x, y);
        q_rest_[tile_k][half] = d_.template pack<T>(x - d_.template first<T>(q_[tile_k][half]),
                                                    y - d_.template second<T>(q_[tile_k][half]));
      }
    }
    for (int i = 0; i < 2; ++i) {
      reference_[i] = kMinusInfinity;
      sum_[i] = 0;
    }
    for (int v = 0; v < kVTiles; ++v) {
      for (int i = 0; i < 4; ++i) out_[v][i] = 0;
    }
  }

  // The 16 tokens from `token` on, whose keys and values are at `part`. At least one of them is seen.
  MICIUS_KERNEL void take(SharedAddress part, unsigned token, const DecodeSegment& segment) {
    float scores[4];
    multiply_keys(part, scores);
    for (int i = 0; i < 4; ++i) scores[i] *= args_.layout.scale * kLog2E;
    if (token < segment.begin || token + kPartTokens > segment.end) {
      for (int i = 0; i < 4; ++i) {
        const unsigned position = token + d_.lane() / 4 + (i < 2 ? 0 : 8);
        if (position < segment.begin || position >= segment.end) scores[i] = kMinusInfinity;
      }
    }
    if (d_.any(larger(scores[0], scores[2]) > reference_[0] + kReferenceSlack ||
               larger(scores[1], scores[3]) > reference_[1] + kReferenceSlack)) {
      move_reference(scores);
    }
    for (int i = 0; i < 4; ++i) {
      scores[i] = d_.exp2(scores[i] - reference_[i % 2]);
      sum_[i % 2] += scores[i];
    }
    const std::uint32_t weights[2] = {d_.transpose(d_.template pack<T>(scores[0], scores[1])),
                                      d_.transpose(d_.template pack<T>(scores[2], scores[3]))};
    multiply_values(part, weights);
  }

  // Writes results, references and sums to the warp's places in shared memory.
  MICIUS_KERNEL void put(const DecodeShared& shared) {
    const unsigned lane = d_.lane(), column = lane % 4 * 2, first = 8 * d_.warp() + column;
    for (int i = 0; i < 2; ++i) {
      for (unsigned mask = 4; mask < 32; mask *= 2) sum_[i] += d_.shuffle_xor(sum_[i], mask);
      if (lane < 4) {
        d_.shared_store(shared.sums + 8 * (first + i), reference_[i]);
        d_.shared_store(shared.sums + 8 * (first + i) + 4, sum_[i]);
      }
    }
    for (int v = 0; v < kVTiles; ++v) {
      for (int i = 0; i < 4; ++i) {
        d_.shared_store(shared.merge + (first + i % 2) * shared.row + (v * 16 + lane / 4 + i / 2 * 8) * 4,
                        out_[v][i]);
      }
    }
  }

 private:
  static constexpr float kLog2E = 1.44269504F;
  static MICIUS_KERNEL float larger(float x, float y) { return x > y ? x : y; }

  MICIUS_KERNEL void multiply_keys(SharedAddress part, float (&scores)[4]) {
    float rest[4] = {0, 0, 0, 0};
    for (int i = 0; i < 4; ++i) scores[i] = 0;
    for (unsigned head = k_first_; head <= k_last_; ++head) {
      const bool seen = head == k_head_;
      for (int tile = 0; tile < kKTiles; ++tile) {
        std::uint32_t k[4];
        d_.load_matrices(k, part + swizzled(args_.layout.k_tile(head) + k_row_ + tile * 32));
        const std::uint32_t q[2] = {seen ? q_[tile][0] : 0, seen ? q_[tile][1] : 0};
        const std::uint32_t q_rest[2] = {seen ? q_rest_[tile][0] : 0, seen ? q_rest_[tile][1] : 0};
        d_.template multiply<T>(scores, k, q);
        d_.template multiply<T>(rest, k, q_rest);
      }
    }
    for (int i = 0; i < 4; ++i) scores[i] += rest[i];
  }
  MICIUS_KERNEL void multiply_values(SharedAddress part, const std::uint32_t (&weights)[2]) {
    for (unsigned head = v_first_; head <= v_last_; ++head) {
      const bool seen = head == v_head_;
      const std::uint32_t p[2] = {seen ? weights[0] : 0, seen ? weights[1] : 0};
      for (int tile = 0; tile < kVTiles; ++tile) {
        std::uint32_t v[4];
        d_.load_matrices_transposed(v, part + swizzled(args_.layout.v_tile(head) + v_row_ + tile * 32));
        d_.template multiply<T>(out_[tile], v, p);
      }
    }
  }
  MICIUS_KERNEL void move_reference(const float (&scores)[4]) {
    float factor[2];
    for (int i = 0; i < 2; ++i) {
      float most = larger(scores[i], scores[i + 2]);
      for (unsigned mask = 4; mask < 32; mask *= 2) most = larger(most, d_.shuffle_xor(most, mask));
      const float reference = larger(reference_[i], most - kReferenceGap);
      factor[i] = d_.exp2(reference_[i] - reference);
      reference_[i] = reference;
      sum_[i] *= factor[i];
    }
    for (int v = 0; v < kVTiles; ++v) {
      for (int i = 0; i < 4; ++i) out_[v][i] *= factor[i % 2];
    }
  }

  D& d_;
  const DecodeArgs& args_;
  unsigned k_row_, v_row_;                        // what this lane adds to a head's tile
  unsigned k_first_, k_last_, v_first_, v_last_;  // heads that the eight see
  unsigned k_head_, v_head_;                      // that this lane's sees
  std::uint32_t q_[kKTiles][2], q_rest_[kKTiles][2];
  float reference_[2], sum_[2];
  float out_[kVTiles][4];
};

// Puts together what the warps of a block, or several blocks, have seen of a segment's super-group.
template <typename D, int kVTiles>
class DecodeMerge {
 public:
  MICIUS_KERNEL DecodeMerge(D& d, const DecodeArgs& args, const DecodeShared& shared)
      : d_(d), args_(args), shared_(shared) {}

  // After sync(), by all warps that calculate.
  MICIUS_KERNEL void finish(const DecodeSegment& segment) {
    merge_warps(segment);
    if (segment.splits == 1) return;
    d_.fence_global();
    sync();
    if (d_.thread() == 0) d_.shared_store(shared_.ticket, d_.atomic_add(args_.tickets + segment.item, 1U));
    sync();
    if (d_.template shared_load<std::uint32_t>(shared_.ticket) != segment.splits - 1) return;
    d_.fence_global();
    const unsigned heads = args_.layout.q_heads(segment.group);
    for (unsigned q = d_.warp(); q < heads; q += shared_.warps) merge_splits(segment, q);
    if (d_.thread() == 0) d_.store(args_.tickets + segment.item, 0U);
  }
  MICIUS_KERNEL void sync() { d_.sync_threads(1, 32 * shared_.warps); }

 private:
  static constexpr unsigned kRow = 16 * kVTiles;
  static constexpr unsigned kRowLanes = kRow / 4,
                            kRows = 32 / kRowLanes;  // lanes of a row, rows of a warp at a time

  MICIUS_KERNEL unsigned row_of(const DecodeSegment& segment, unsigned q) const {
    return segment.sequence * args_.layout.n_q + args_.layout.first_q(segment.group) + q;
  }
  MICIUS_KERNEL void put_lse(unsigned row, float reference, float sum) {
    if (args_.lse != nullptr) d_.store(args_.lse + row, (reference + d_.log2(sum)) * kLn2);
  }
  MICIUS_KERNEL void merge_warps(const DecodeSegment& segment) {
    const unsigned heads = args_.layout.q_heads(segment.group), warps = args_.tuning.warps;
    for (unsigned i = d_.thread(); i < heads * kRow; i += 32 * shared_.warps) {
      const unsigned q = i / kRow, dim = i % kRow, first = q / 8 * warps * 8 + q % 8;
      float reference = kMinusInfinity, sum = 0, out = 0;
      for (unsigned w = 0; w < warps; ++w) {
        const float r = d_.template shared_load<float>(shared_.sums + 8 * (first + 8 * w));
        reference = r > reference ? r : reference;
      }
      for (unsigned w = 0; w < warps; ++w) {
        const unsigned column = first + 8 * w;
        const float weight = d_.exp2(d_.template shared_load<float>(shared_.sums + 8 * column) - reference);
        sum += weight * d_.template shared_load<float>(shared_.sums + 8 * column + 4);
        out += weight * d_.template shared_load<float>(shared_.merge + column * shared_.row + dim * 4);
      }
      if (segment.splits > 1) {
        const unsigned at = segment.partial * args_.layout.most_q + q;
        d_.store(args_.partials + at * kRow + dim, out);
        if (dim == 0) {
          d_.store(args_.sums + 2 * at, reference);
          d_.store(args_.sums + 2 * at + 1, sum);
        }
      } else if (dim < args_.layout.d_v) {
        const unsigned row = row_of(segment, q);
        d_.store(args_.out + row * args_.layout.d_v + dim, out / sum);
        if (dim == 0) put_lse(row, reference, sum);
      }
    }
  }

  // By a warp: the q head `q` of all splits. A lane has four dims, and the splits of its row of lanes.
  MICIUS_KERNEL void merge_splits(const DecodeSegment& segment, unsigned q) {
    const unsigned stride = args_.layout.most_q, first = segment.first * stride + q;
    float reference = kMinusInfinity;
    for (unsigned split = d_.lane(); split < segment.splits; split += 32) {
      const float r = d_.load_fresh(args_.sums + 2 * (first + split * stride));
      reference = r > reference ? r : reference;
    }
    for (unsigned mask = 1; mask < 32; mask *= 2) {
      const float r = d_.shuffle_xor(reference, mask);
      reference = r > reference ? r : reference;
    }
    float sum = 0, out[4] = {0, 0, 0, 0};
    for (unsigned from = 0; from < segment.splits; from += 32) {
      float weight = 0;
      if (from + d_.lane() < segment.splits) {
        const float* sums = args_.sums + 2 * (first + (from + d_.lane()) * stride);
        weight = d_.exp2(d_.load_fresh(sums) - reference);
        sum += weight * d_.load_fresh(sums + 1);
      }
      add_splits(segment, first, from, weight, out);
    }
    for (unsigned mask = 1; mask < 32; mask *= 2) sum += d_.shuffle_xor(sum, mask);
    for (unsigned mask = kRowLanes; mask < 32; mask *= 2) {
      for (int i = 0; i < 4; ++i) out[i] += d_.shuffle_xor(out[i], mask);
    }
    const unsigned row = row_of(segment, q), dim = d_.lane() % kRowLanes * 4;
    for (unsigned i = 0; i < 4; ++i) {
      if (d_.lane() < kRowLanes && dim + i < args_.layout.d_v) {
        d_.store(args_.out + row * args_.layout.d_v + dim + i, out[i] / sum);
      }
    }
    if (d_.lane() == 0) put_lse(row, reference, sum);
  }

  // The splits from to from + 31. All loads come first: they are what takes the time.
  MICIUS_KERNEL void add_splits(const DecodeSegment& segment, unsigned first, unsigned from, float weight,
                                float (&out)[4]) {
    const unsigned row = d_.lane() / kRowLanes, dim = d_.lane() % kRowLanes * 4;
    constexpr int kBatch = 16 / kRows < 4 ? 4 : 16 / kRows;
    for (unsigned at = 0; at < 32; at += kBatch * kRows) {
      if (from + at >= segment.splits) return;
      Float4 values[kBatch];
      for (int i = 0; i < kBatch; ++i) {
        const unsigned split = from + at + i * kRows + row;
        values[i] = {0, 0, 0, 0};
        if (split < segment.splits) {
          values[i] = d_.load_fresh4(args_.partials + (first + split * args_.layout.most_q) * kRow + dim);
        }
      }
      for (int i = 0; i < kBatch; ++i) {
        const float w = d_.shuffle(weight, at + i * kRows + row);
        out[0] += w * values[i].x;
        out[1] += w * values[i].y;
        out[2] += w * values[i].z;
        out[3] += w * values[i].w;
      }
    }
  }

  static constexpr float kLn2 = 0.693147181F;
  D& d_;
  const DecodeArgs& args_;
  const DecodeShared& shared_;
};

// All of a block's work. kKTiles and kVTiles are the layout's.
template <typename D, typename T, typename Ring, int kKTiles, int kVTiles>
MICIUS_KERNEL void decode_attention(D& d, const DecodeArgs& args) {
  const unsigned tiles = (args.layout.most_q + 7) / 8;
  const DecodeShared shared(args.layout, args.tuning, tiles);
  const unsigned tile = d.warp() / args.tuning.warps;
  d.start_next();
  Ring::start(d, args, shared, tiles);
  if (tile == tiles) {
    Ring(d, args, shared, 0).fetch();
    return;
  }
  d.wait_for_previous();
  Ring ring(d, args, shared, d.warp() % args.tuning.warps);
  WarpAttention<D, T, kKTiles, kVTiles> attention(d, args);
  DecodeMerge<D, kVTiles> merge(d, args, shared);
  for (unsigned at = d.block();;) {
    const DecodeSegment segment = load_segment(d, args.segments + at);
    const StageRange stages(segment, args.tuning.parts);
    attention.begin(segment, tile);
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
    merge.sync();
    attention.put(shared);
    merge.sync();
    merge.finish(segment);
    if (segment.next == 0) return;
    at = segment.next;
  }
}

}  // namespace micius
