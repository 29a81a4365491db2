// What a warp does in the kernel of decode attention: it takes 16 tokens at a time: S^T = K Q^T with
// K as the operand of 16 rows and eight q heads as the columns, then O^T += V^T P^T. Where the eight q heads
// see several K or V heads, each head's product is added with the columns that do not see it set to zero. q
// is split in two 16-bit values, which costs nothing beside the memory and leaves the rounding of P as the
// only one. Every warp has an online softmax of its own; a running reference takes the maximum's place and
// moves only when a score outgrows it (lazy rescale), so in the loop lanes agree on nothing but that.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/attention_device.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/decode_attention_merge.h"

namespace micius {

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

  // Turns to the q heads 8 tile to 8 tile + 7 of the segment's super-group.
  MICIUS_KERNEL void choose(const DecodeSegment& segment, unsigned tile) {
    const DecodeLayout& layout = args_.layout;
    const unsigned heads = layout.q_heads(segment.group), first = 8 * tile;
    const unsigned last = first + 7 < heads ? first + 7 : heads - 1;
    k_first_ = first < heads ? layout.k_head(segment.group, first) : 0;
    v_first_ = first < heads ? layout.v_head(segment.group, first) : 0;
    k_last_ = first < heads ? layout.k_head(segment.group, last) : 0;
    v_last_ = first < heads ? layout.v_head(segment.group, last) : 0;
    const unsigned column = first + d_.lane() / 4;
    seen_ = column < heads;
    k_head_ = seen_ ? layout.k_head(segment.group, column) : 0;
    v_head_ = seen_ ? layout.v_head(segment.group, column) : 0;
    q_at_ = args_.q + (segment.sequence * layout.n_q + layout.first_q(segment.group) + (seen_ ? column : 0)) *
                          layout.d_k;
  }

  // Loads them, and forgets what it has seen of others. All loads come first: they are what takes the time.
  MICIUS_KERNEL void begin() {
    const unsigned dims = args_.layout.d_k;
    float values[kKTiles][4];
    for (int tile = 0; tile < kKTiles; ++tile) {
      for (int i = 0; i < 4; ++i) {
        const unsigned dim = dim_of(tile, i);
        values[tile][i] = d_.load_fresh(q_at_ + (dim < dims ? dim : 0));
      }
    }
    for (int tile = 0; tile < kKTiles; ++tile) {
      for (int half = 0; half < 2; ++half) {
        const float x = seen_ && dim_of(tile, 2 * half) < dims ? values[tile][2 * half] : 0;
        const float y = seen_ && dim_of(tile, 2 * half + 1) < dims ? values[tile][2 * half + 1] : 0;
        q_[tile][half] = d_.template pack<T>(x, y);
        q_rest_[tile][half] = d_.template pack<T>(x - d_.template first<T>(q_[tile][half]),
                                                  y - d_.template second<T>(q_[tile][half]));
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
  static constexpr int kValueTiles = kVTiles < 4 ? kVTiles : 4;  // at a time
  // Of the four values of a tile that this lane has of its q head.
  MICIUS_KERNEL unsigned dim_of(int tile, int i) const {
    return tile * 16 + i / 2 * 8 + d_.lane() % 4 * 2 + i % 2;
  }

  MICIUS_KERNEL void multiply_keys(SharedAddress part, float (&scores)[4]) {
    float rest[4] = {0, 0, 0, 0};
    for (int i = 0; i < 4; ++i) scores[i] = 0;
    for (unsigned head = k_first_; head <= k_last_; ++head) {
      const bool seen = head == k_head_;
      std::uint32_t k[kKTiles][4];
      const SharedAddress at = args_.layout.k_tile(head) + k_row_;
      for (int tile = 0; tile < kKTiles; ++tile) d_.load_matrices(k[tile], part + swizzled(at + tile * 32));
      for (int tile = 0; tile < kKTiles; ++tile) {
        const std::uint32_t q[2] = {seen ? q_[tile][0] : 0, seen ? q_[tile][1] : 0};
        const std::uint32_t q_rest[2] = {seen ? q_rest_[tile][0] : 0, seen ? q_rest_[tile][1] : 0};
        d_.template multiply<T>(scores, k[tile], q);
        d_.template multiply<T>(rest, k[tile], q_rest);
      }
    }
    for (int i = 0; i < 4; ++i) scores[i] += rest[i];
  }
  // A head's values are loaded while the one before is multiplied.
  MICIUS_KERNEL void multiply_values(SharedAddress part, const std::uint32_t (&weights)[2]) {
    for (int tile = 0; tile < kVTiles; tile += kValueTiles) {
      std::uint32_t v[2][kValueTiles][4];
      load_values(v[0], part, v_first_, tile);
      for (unsigned head = v_first_; head <= v_last_; head += 2) {
        if (head < v_last_) load_values(v[1], part, head + 1, tile);
        add_values(v[0], weights, head, tile);
        if (head == v_last_) break;
        if (head + 1 < v_last_) load_values(v[0], part, head + 2, tile);
        add_values(v[1], weights, head + 1, tile);
      }
    }
  }
  MICIUS_KERNEL void load_values(std::uint32_t (&v)[kValueTiles][4], SharedAddress part, unsigned head,
                                 int tile) {
    const SharedAddress at = args_.layout.v_tile(head) + v_row_ + tile * 32;
    for (int i = 0; i < kValueTiles; ++i) {
      d_.load_matrices_transposed(v[i], part + swizzled(at + i * 32));
    }
  }
  MICIUS_KERNEL void add_values(const std::uint32_t (&v)[kValueTiles][4], const std::uint32_t (&weights)[2],
                                unsigned head, int tile) {
    const bool seen = head == v_head_;
    const std::uint32_t p[2] = {seen ? weights[0] : 0, seen ? weights[1] : 0};
    for (int i = 0; i < kValueTiles; ++i) d_.template multiply<T>(out_[tile + i], v[i], p);
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
  bool seen_;                                     // this lane has a q head
  const float* q_at_;
  std::uint32_t q_[kKTiles][2], q_rest_[kKTiles][2];
  float reference_[2], sum_[2];
  float out_[kVTiles][4];
};

}  // namespace micius
