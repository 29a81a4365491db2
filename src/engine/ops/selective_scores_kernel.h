// The first kernel of selective V, over the device layer: S^T = K Q^T with 16 tokens as the
// rows and eight q heads of one K head as the columns.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/attention_device.h"
#include "engine/ops/selective_attention.h"

namespace micius {

// What a warp scores: every kScoreWarps-th part of the chunk. As operands of eight columns lane l has the q
// head l / 4 of eight; of sums, 2 (l % 4) and the one after it.
template <typename D, typename T, int kKTiles>
class KeyScores {
 public:
  MICIUS_KERNEL KeyScores(D& d, const SelectiveArgs& args, const ScoreChunk& chunk, unsigned k_head)
      : d_(d),
        args_(args),
        chunk_(chunk),
        ring_(d.warp() * kScoreStages * kTile),
        row_(d.lane() % 16 * args.layout.k_row() + d.lane() / 16 * 16) {
    const DecodeLayout& layout = args.layout;
    group_ = k_head / layout.k_heads * layout.group_bytes();
    tile_ = layout.k_tile(k_head % layout.k_heads);
    first_q_ = (k_head * layout.n_q + layout.n_k - 1) / layout.n_k;
    heads_ = ((k_head + 1) * layout.n_q + layout.n_k - 1) / layout.n_k - first_q_;
  }

  // Of more than eight q heads the keys are read again, from L2.
  MICIUS_KERNEL void run() {
    for (unsigned first = 0; first < heads_; first += 8) {
      load_queries(first);
      for (unsigned i = 0; i + 1 < kScoreStages; ++i) fetch(i);
      for (unsigned i = 0; part_of(i) < chunk_.parts; ++i) {
        fetch(i + kScoreStages - 1);
        d_.template wait_copies<int{kScoreStages} - 1>();
        d_.sync_warp();
        take(ring_ + i % kScoreStages * kTile, part_of(i), first);
        d_.sync_warp();
      }
      d_.template wait_copies<0>();
    }
  }

 private:
  static constexpr unsigned kTile = kPartTokens * 32 * kKTiles;  // bytes

  MICIUS_KERNEL unsigned part_of(unsigned i) const { return d_.warp() + i * kScoreWarps; }

  // A group of copies for each call, empty behind the last part.
  MICIUS_KERNEL void fetch(unsigned i) {
    if (part_of(i) < chunk_.parts) {
      const unsigned part = chunk_.first_part + part_of(i);
      const std::uint32_t page = d_.load_fresh(args_.table + chunk_.first_page + part / kPageParts);
      const std::byte* const from = args_.pages + page * args_.layout.page_bytes() + group_ +
                                    part % kPageParts * args_.layout.part_bytes;
      for (unsigned at = 16 * d_.lane(); at < kTile; at += 16 * 32) {
        d_.copy_async(swizzled(ring_ + i % kScoreStages * kTile + at), from + swizzled(tile_ + at));
      }
    }
    d_.commit_copies();
  }
  // In two 16-bit values, scaled.
  MICIUS_KERNEL void load_queries(unsigned first) {
    const unsigned dims = args_.layout.d_k, head = first + d_.lane() / 4;
    const bool there = head < heads_;
    const float* const q =
        args_.q + (std::size_t{chunk_.sequence} * args_.layout.n_q + first_q_ + (there ? head : 0)) * dims;
    const float scale = args_.layout.scale * kLog2E;
    for (int tile = 0; tile < kKTiles; ++tile) {
      for (int half = 0; half < 2; ++half) {
        const unsigned dim = tile * 16 + half * 8 + d_.lane() % 4 * 2;
        const float x = there && dim < dims ? d_.load_fresh(q + dim) * scale : 0;
        const float y = there && dim + 1 < dims ? d_.load_fresh(q + dim + 1) * scale : 0;
        q_[tile][half] = d_.template pack<T>(x, y);
        q_rest_[tile][half] = d_.template pack<T>(x - d_.template first<T>(q_[tile][half]),
                                                  y - d_.template second<T>(q_[tile][half]));
      }
    }
  }
  MICIUS_KERNEL void take(SharedAddress keys, unsigned part, unsigned first) {
    float scores[4] = {0, 0, 0, 0}, rest[4] = {0, 0, 0, 0};
    for (int tile = 0; tile < kKTiles; ++tile) {
      std::uint32_t k[4];
      d_.load_matrices(k, swizzled(keys + row_ + tile * 32));
      d_.template multiply<T>(scores, k, q_[tile]);
      d_.template multiply<T>(rest, k, q_rest_[tile]);
    }
    const unsigned lane = d_.lane(), token = (chunk_.first_part + part) * kPartTokens + lane / 4;
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned position = token + i / 2 * 8;
      scores[i] += rest[i];
      if (position < chunk_.begin || position >= chunk_.end) scores[i] = kMinusInfinity;
    }
    for (unsigned i = 0; i < 2; ++i) {
      float most = larger(scores[i], scores[i + 2]);
      for (unsigned mask = 4; mask < 32; mask *= 2) most = larger(most, d_.shuffle_xor(most, mask));
      float sum = d_.exp2(scores[i] - most) + d_.exp2(scores[i + 2] - most);
      for (unsigned mask = 4; mask < 32; mask *= 2) sum += d_.shuffle_xor(sum, mask);
      const unsigned head = first + lane % 4 * 2 + i;
      if (head >= heads_) continue;
      const std::size_t place = std::size_t{first_q_ + head} * args_.parts + chunk_.place + part;
      d_.store(args_.scores + place * kPartTokens + lane / 4, scores[i]);
      d_.store(args_.scores + place * kPartTokens + lane / 4 + 8, scores[i + 2]);
      if (lane < 4) d_.store(reinterpret_cast<Float2*>(args_.maxima) + place, Float2{most, sum});
    }
  }

  D& d_;
  const SelectiveArgs& args_;
  const ScoreChunk& chunk_;
  SharedAddress ring_;
  unsigned row_;                   // what this lane adds to a tile
  unsigned group_ = 0, tile_ = 0;  // in a page, in a part
  unsigned first_q_ = 0, heads_ = 0;
  std::uint32_t q_[kKTiles][2], q_rest_[kKTiles][2];
};

// A block for each (chunk, K head).
template <typename D, typename T, int kKTiles>
MICIUS_KERNEL void score_keys(D& d, const SelectiveArgs& args) {
  d.start_next();
  d.wait_for_previous();
  const ScoreChunk* const c = args.chunks + d.block() / args.layout.n_k;
  const ScoreChunk chunk{d.load(&c->sequence),   d.load(&c->first_page), d.load(&c->begin), d.load(&c->end),
                         d.load(&c->first_part), d.load(&c->parts),      d.load(&c->place)};
  KeyScores<D, T, kKTiles>(d, args, chunk, d.block() % args.layout.n_k).run();
}

}  // namespace micius
