// The kernel of prefill attention, over the device layer. Rows of q are the 16 rows of a matrix
// product, tokens its columns, so the scores of a product are the operand of the next: S = Q K^T, O += P V,
// as in FlashAttention-2. q is split in two 16-bit values, which leaves the rounding of P as the only one, as
// in the kernel for single tokens; the reference of the softmax moves as it does there.
#pragma once

#include "engine/device/lanes.h"
#include "engine/ops/attention_device.h"
#include "engine/ops/prefill_attention.h"

namespace micius {

// The pages of a tile, in shared memory one after the other, fetched by all threads of the block.
template <typename D, int kKTiles, int kVTiles>
class PrefillRing {
 public:
  MICIUS_KERNEL PrefillRing(D& d, const PrefillArgs& args, const PrefillTile& tile, const PrefillCell& cell)
      : d_(d),
        args_(args),
        stage_(PrefillShared(args.layout).stage),
        threads_(32 * args.tuning.warps),
        first_(tile.begin / kPrefillTokens),
        count_(tile.end > tile.begin ? (tile.end - 1) / kPrefillTokens + 1 - first_ : 0),
        table_(args.table + tile.first_page + first_) {
    const DecodeLayout& layout = args.layout;
    keys_ = cell.k_head / layout.k_heads * layout.group_bytes();
    values_ = cell.v_head / layout.v_heads * layout.group_bytes();
    k_tile_ = layout.k_tile(cell.k_head % layout.k_heads);
    v_tile_ = layout.v_tile(cell.v_head % layout.v_heads);
    for (unsigned i = 0; i + 1 < kPrefillStages; ++i) fetch(i);
  }

  MICIUS_KERNEL unsigned count() const { return count_; }
  // The first position of page `i`.
  MICIUS_KERNEL unsigned position(unsigned i) const { return (first_ + i) * kPrefillTokens; }
  // Page `i`; pages are acquired in their order. Who comes here is done with those before it.
  MICIUS_KERNEL SharedAddress acquire(unsigned i) {
    d_.template wait_copies<int{kPrefillStages} - 2>();
    d_.sync_block();
    fetch(i + kPrefillStages - 1);
    return i % kPrefillStages * stage_;
  }

 private:
  static constexpr unsigned kKChunks = 32 * kKTiles,
                            kVChunks = 32 * kVTiles;  // of 16 bytes, of a part's tile

  // A group of copies for each call, empty behind the last page.
  MICIUS_KERNEL void fetch(unsigned i) {
    if (i < count_) {
      const std::byte* const page = args_.pages + d_.load_fresh(table_ + i) * args_.layout.page_bytes();
      const SharedAddress to = i % kPrefillStages * stage_;
      copy<kKChunks>(to, page + keys_, k_tile_);
      copy<kVChunks>(to + kPageParts * kKChunks * 16, page + values_, v_tile_);
    }
    d_.commit_copies();
  }
  // What is a tile in each part becomes one tile.
  template <unsigned kChunks>
  MICIUS_KERNEL void copy(SharedAddress to, const std::byte* from, unsigned tile) {
    for (unsigned i = d_.thread(); i < kPageParts * kChunks; i += threads_) {
      d_.copy_async(swizzled(to + 16 * i),
                    from + i / kChunks * args_.layout.part_bytes + swizzled(tile + i % kChunks * 16));
    }
  }

  D& d_;
  const PrefillArgs& args_;
  unsigned stage_, threads_;
  unsigned first_, count_;  // pages of the sequence
  const std::uint32_t* table_;
  std::uint32_t keys_, values_;    // of the super-groups, in a page
  std::uint32_t k_tile_, v_tile_;  // in a part
};

// 16 rows, and what they have seen. Of operands and sums with 16 rows, lane l has rows l / 4 and l / 4 + 8.
template <typename D, typename T, int kKTiles, int kVTiles>
class PrefillWarp {
 public:
  MICIUS_KERNEL PrefillWarp(D& d, const PrefillArgs& args, const PrefillTile& tile, const PrefillCell& cell)
      : d_(d), args_(args), cell_(cell) {
    const unsigned lane = d.lane();
    k_row_ = (lane / 16 * 8 + lane % 8) * args.layout.k_row() + lane / 8 % 2 * 16;
    v_row_ = (lane / 8 % 2 * 8 + lane % 8) * args.layout.v_row() + lane / 16 * 16;
    for (unsigned i = 0; i < 2; ++i) {
      const unsigned row = d.warp() * kPrefillRows + lane / 4 + 8 * i, token = row / cell.heads;
      there_[i] = token < tile.tokens;
      const PrefillToken* const place = args.tokens + tile.first_token + (there_[i] ? token : 0);
      head_[i] = cell.first_q + row % cell.heads;
      out_row_[i] = tile.first_out + token;
      q_row_[i] = d.load_fresh(&place->row);
      const std::uint32_t begin = d.load_fresh(&place->begin), end = d.load_fresh(&place->end);
      begin_[i] = begin > tile.begin ? begin : tile.begin;
      end_[i] = !there_[i] ? 0 : end < tile.end ? end : tile.end;
      reference_[i] = kLowest;
      sum_[i] = 0;
    }
    for (auto& out : out_) {
      for (float& value : out) value = 0;
    }
    load_queries();
  }

  // The page at `stage`, whose first position is `first`. A warp that sees none of it has nothing to do.
  MICIUS_KERNEL void take(SharedAddress stage, unsigned first) {
    const unsigned behind = first + kPrefillTokens;
    bool sees = false, whole = true;
    for (unsigned i = 0; i < 2; ++i) {
      const bool some = begin_[i] < behind && end_[i] > first && begin_[i] < end_[i];
      sees = sees || some;
      whole = whole && begin_[i] <= first && end_[i] >= behind;
    }
    if (!d_.any(sees)) return;
    float scores[kColumns][4];
    multiply_keys(stage, scores);
    if (!whole) hide(first, scores);
    bool grows = false;
    for (const auto& column : scores) {
      for (int i = 0; i < 4; ++i) grows = grows || column[i] > reference_[i / 2] + kReferenceSlack;
    }
    if (d_.any(grows)) move_reference(scores);
    for (auto& column : scores) {
      for (int i = 0; i < 4; ++i) sum_[i / 2] += column[i] = d_.exp2(column[i] - reference_[i / 2]);
    }
    multiply_values(stage + kPrefillTokens * args_.layout.k_row(), scores);
  }

  MICIUS_KERNEL void put() {
    const unsigned dims = args_.layout.d_v;
    for (unsigned i = 0; i < 2; ++i) {
      for (unsigned mask = 1; mask < 4; mask *= 2) sum_[i] += d_.shuffle_xor(sum_[i], mask);
      if (!there_[i]) continue;
      const std::size_t row = std::size_t{out_row_[i]} * args_.layout.n_q + head_[i];
      const float scale = sum_[i] > 0 ? 1 / sum_[i] : 0;
      for (int v = 0; v < 2 * kVTiles; ++v) {
        for (unsigned j = 0; j < 2; ++j) {
          const unsigned dim = v * 8 + d_.lane() % 4 * 2 + j;
          if (dim < dims) d_.store(args_.out + row * dims + dim, out_[v][2 * i + j] * scale);
        }
      }
      if (args_.lse != nullptr && d_.lane() % 4 == 0) {
        d_.store(args_.lse + row, sum_[i] > 0 ? (reference_[i] + d_.log2(sum_[i])) * kLn2 : kMinusInfinity);
      }
    }
  }

 private:
  static constexpr int kColumns = kPrefillTokens / 8;  // of 8 tokens
  // Where the reference starts: no score's exponential is lost by it, and -infinity less it is not NaN.
  static constexpr float kLowest = -1e30F;

  // Scaled here, once, instead of every score.
  MICIUS_KERNEL void load_queries() {
    const unsigned dims = args_.layout.d_k;
    const float scale = args_.layout.scale * kLog2E;
    for (int tile = 0; tile < kKTiles; ++tile) {
      for (unsigned i = 0; i < 4; ++i) {
        const float* const q = args_.q + std::size_t{q_row_[i % 2]} * args_.q_stride + head_[i % 2] * dims;
        const unsigned dim = tile * 16 + i / 2 * 8 + d_.lane() % 4 * 2;
        const float x = there_[i % 2] && dim < dims ? d_.load_fresh(q + dim) * scale : 0;
        const float y = there_[i % 2] && dim + 1 < dims ? d_.load_fresh(q + dim + 1) * scale : 0;
        q_[tile][i] = d_.template pack<T>(x, y);
        q_rest_[tile][i] = d_.template pack<T>(x - d_.template first<T>(q_[tile][i]),
                                               y - d_.template second<T>(q_[tile][i]));
      }
    }
  }
  MICIUS_KERNEL void multiply_keys(SharedAddress keys, float (&scores)[kColumns][4]) {
    for (int part = 0; part < kColumns / 2; ++part) {
      for (int i = 0; i < 4; ++i) scores[2 * part][i] = scores[2 * part + 1][i] = 0;
      const SharedAddress at = keys + part * kPartTokens * args_.layout.k_row() + k_row_;
      for (int tile = 0; tile < kKTiles; ++tile) {
        std::uint32_t k[4];
        d_.load_matrices(k, swizzled(at + tile * 32));
        const std::uint32_t left[2] = {k[0], k[1]}, right[2] = {k[2], k[3]};
        d_.template multiply<T>(scores[2 * part], q_[tile], left);
        d_.template multiply<T>(scores[2 * part + 1], q_[tile], right);
        d_.template multiply<T>(scores[2 * part], q_rest_[tile], left);
        d_.template multiply<T>(scores[2 * part + 1], q_rest_[tile], right);
      }
    }
  }
  MICIUS_KERNEL void hide(unsigned first, float (&scores)[kColumns][4]) const {
    for (int column = 0; column < kColumns; ++column) {
      for (int i = 0; i < 4; ++i) {
        const unsigned position = first + column * 8 + d_.lane() % 4 * 2 + i % 2;
        if (position < begin_[i / 2] || position >= end_[i / 2]) scores[column][i] = kMinusInfinity;
      }
    }
  }
  MICIUS_KERNEL void move_reference(const float (&scores)[kColumns][4]) {
    for (int row = 0; row < 2; ++row) {
      float most = kMinusInfinity;
      for (const auto& column : scores) most = larger(most, larger(column[2 * row], column[2 * row + 1]));
      for (unsigned mask = 1; mask < 4; mask *= 2) most = larger(most, d_.shuffle_xor(most, mask));
      // Only where this row's scores ask for it, so that its result does not depend on the warp's others.
      const bool grows = most > reference_[row] + kReferenceSlack;
      const float reference = grows ? most - kReferenceGap : reference_[row];
      const float factor = d_.exp2(reference_[row] - reference);
      reference_[row] = reference;
      sum_[row] *= factor;
      for (auto& out : out_) {
        out[2 * row] *= factor;
        out[2 * row + 1] *= factor;
      }
    }
  }
  MICIUS_KERNEL void multiply_values(SharedAddress values, const float (&scores)[kColumns][4]) {
    for (int part = 0; part < kColumns / 2; ++part) {
      const float(&left)[4] = scores[2 * part], (&right)[4] = scores[2 * part + 1];
      const std::uint32_t weights[4] = {
          d_.template pack<T>(left[0], left[1]), d_.template pack<T>(left[2], left[3]),
          d_.template pack<T>(right[0], right[1]), d_.template pack<T>(right[2], right[3])};
      const SharedAddress at = values + part * kPartTokens * args_.layout.v_row() + v_row_;
      for (int tile = 0; tile < kVTiles; ++tile) {
        std::uint32_t v[4];
        d_.load_matrices_transposed(v, swizzled(at + tile * 32));
        const std::uint32_t first[2] = {v[0], v[1]}, second[2] = {v[2], v[3]};
        d_.template multiply<T>(out_[2 * tile], weights, first);
        d_.template multiply<T>(out_[2 * tile + 1], weights, second);
      }
    }
  }

  D& d_;
  const PrefillArgs& args_;
  const PrefillCell& cell_;
  unsigned k_row_, v_row_;  // what this lane adds to a tile
  bool there_[2];
  std::uint32_t q_row_[2], out_row_[2], head_[2], begin_[2], end_[2];
  std::uint32_t q_[kKTiles][4], q_rest_[kKTiles][4];
  float reference_[2], sum_[2];
  float out_[2 * kVTiles][4];
};

// All of a block's work. kKTiles and kVTiles are the layout's.
template <typename D, typename T, int kKTiles, int kVTiles>
MICIUS_KERNEL void prefill_attention(D& d, const PrefillArgs& args) {
  d.start_next();
  d.wait_for_previous();
  const PrefillTile* const t = args.tiles + d.block() / args.cell_count;
  const PrefillCell* const c = args.cells + d.block() % args.cell_count;
  const PrefillTile tile{d.load(&t->first_token), d.load(&t->tokens), d.load(&t->first_page),
                         d.load(&t->begin),       d.load(&t->end),    d.load(&t->first_out)};
  const PrefillCell cell{d.load(&c->first_q), d.load(&c->heads), d.load(&c->k_head), d.load(&c->v_head)};
  PrefillRing<D, kKTiles, kVTiles> ring(d, args, tile, cell);
  PrefillWarp<D, T, kKTiles, kVTiles> warp(d, args, tile, cell);
  for (unsigned i = 0; i < ring.count(); ++i) warp.take(ring.acquire(i), ring.position(i));
  warp.put();
}

}  // namespace micius
