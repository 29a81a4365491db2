// Linears over TiledWeights: y = x W^T + bias with matrix instructions m16n8k16, 16 outputs x 8 rows of x
// each.
//
// Few rows: reading the weights is all that takes time. The warps of a block share the inputs of 16 outputs,
// so that as many blocks as can be read at once, and nothing goes through shared memory before the end. Many
// rows: a warp has 16 outputs and 64 rows, whose inputs its block fetches to shared memory, the next 64
// columns while it multiplies.
#pragma once

#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"
#include "engine/ops/blocked_rows.h"
#include "engine/ops/linear_end.h"
#include "engine/ops/linear_gpu.h"
#include "engine/ops/linear_tiles.h"

namespace micius {

// Adds a block's products with 8 rows. x: by plane, a lane's 8 inputs of row lane / 4; sums: of the inputs of
// rows 2 (lane % 4) and the next.
template <bool kScaled, typename D>
MICIUS_KERNEL void multiply_block(D& d, const BlockWeights& w, const Words4 (&x)[2], unsigned planes,
                                  const Float2& sums, float (&to)[4]) {
  float c[4] = {0, 0, 0, 0};
  float(&sum)[4] = kScaled ? c : to;
  MICIUS_UNROLL
  for (unsigned plane = 0; plane < 2; ++plane) {
    if (plane >= planes) continue;
    const std::uint32_t b[2][2] = {{x[plane].x, x[plane].y}, {x[plane].z, x[plane].w}};
    for (unsigned step = 0; step < 2; ++step) d.template multiply<BF16>(sum, w.a[step], b[step]);
  }
  if constexpr (kScaled) {
    to[0] += w.scale.x * c[0] + w.shift.x * sums.x;
    to[1] += w.scale.x * c[1] + w.shift.x * sums.y;
    to[2] += w.scale.y * c[2] + w.shift.y * sums.x;
    to[3] += w.scale.y * c[3] + w.shift.y * sums.y;
  }
}

// The sums of the inputs that a lane's results are of; those behind the last row are any.
template <typename D>
MICIUS_KERNEL Float2 input_sums(D& d, const BlockedRows& x, unsigned block, unsigned first_row) {
  const unsigned row = first_row + 2 * (d.lane() % 4), last = x.stride - 2;
  return d.load_fresh2(x.sums + std::size_t{block} * x.stride + (row < last ? row : last));
}

// For up to 8 * kRowTiles rows at a time.
template <TileFormat kFormat, unsigned kRowTiles>
struct FewRowsLinear {
  LinearArgs args;

  constexpr std::uint32_t warps() const {
    const std::uint32_t tiles = args.weights.column_tiles();
    const std::uint32_t least = kRowTiles;  // each of them ends one tile of rows
    return tiles < 8 ? (tiles > least ? tiles : least) : 8;
  }
  constexpr LaunchShape shape() const {
    const std::uint32_t groups = (args.x.rows + 8 * kRowTiles - 1) / (8 * kRowTiles);
    return {args.weights.row_tiles() * groups, 32 * warps(), warps() * kRowTiles * 512};
  }

  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const unsigned row_tiles = args.weights.row_tiles(), row_tile = d.block() % row_tiles;
    const unsigned first_row = d.block() / row_tiles * 8 * kRowTiles;
    float sums[kRowTiles][4] = {};
    add_products(d, row_tile, first_row, sums);
    for (unsigned t = 0; t < kRowTiles; ++t) {
      const Float4 mine{sums[t][0], sums[t][1], sums[t][2], sums[t][3]};
      d.shared_store(((t * warps() + d.warp()) * 32 + d.lane()) * 16, mine);
    }
    d.sync_block();
    if (d.warp() >= kRowTiles) return;
    float total[4] = {0, 0, 0, 0};
    for (unsigned warp = 0; warp < warps(); ++warp) {
      const Float4 part = d.template shared_load<Float4>(((d.warp() * warps() + warp) * 32 + d.lane()) * 16);
      total[0] += part.x;
      total[1] += part.y;
      total[2] += part.z;
      total[3] += part.w;
    }
    LinearEnd<D>(d, args, row_tile).finish(first_row + 8 * d.warp(), total);
  }

 private:
  template <typename D>
  MICIUS_KERNEL void add_products(D& d, unsigned row_tile, unsigned first_row,
                                  float (&sums)[kRowTiles][4]) const {
    const unsigned columns = args.weights.column_tiles();
    const TileRow tiles = tile_row<kFormat>(args.weights, row_tile);
    for (unsigned column = d.warp(); column < columns; column += warps()) {
      MICIUS_UNROLL
      for (unsigned b = 0; b < 2; ++b) {
        BlockWeights w;
        Tile<kFormat>::load(d, tiles, column, b, w);
        const unsigned block = 2 * column + b;
        MICIUS_UNROLL
        for (unsigned t = 0; t < kRowTiles; ++t) {
          const unsigned first = first_row + 8 * t;
          const Float2 of_inputs =
              Tile<kFormat>::kScaled ? input_sums(d, args.x, block, first) : Float2{0, 0};
          Words4 x[2] = {};
          MICIUS_UNROLL
          for (unsigned plane = 0; plane < 2; ++plane) {
            if (plane >= args.x.planes) continue;
            const unsigned row = first + d.lane() / 4, last = args.x.stride - 1;
            x[plane] = d.load_fresh_words4(
                args.x.values + args.x.word(plane, block, row < last ? row : last) + 4 * (d.lane() % 4));
          }
          multiply_block<Tile<kFormat>::kScaled>(d, w, x, args.x.planes, of_inputs, sums[t]);
        }
      }
    }
  }
};

template <TileFormat kFormat>
struct ManyRowsLinear {
  static constexpr std::uint32_t kWarps = 8, kRowTiles = 8, kRows = 8 * kRowTiles;
  static constexpr std::uint32_t kRunBytes = 64;                       // 32 inputs of a row
  static constexpr std::uint32_t kPlaneBytes = 2 * kRows * kRunBytes;  // of a stage: 64 columns

  LinearArgs args;

  constexpr std::uint32_t groups() const { return (args.weights.row_tiles() + kWarps - 1) / kWarps; }
  constexpr LaunchShape shape() const {
    return {groups() * ((args.x.rows + kRows - 1) / kRows), 32 * kWarps, 2 * args.x.planes * kPlaneBytes};
  }

  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const unsigned row_tile = d.block() % groups() * kWarps + d.warp(),
                   first_row = d.block() / groups() * kRows;
    const unsigned columns = args.weights.column_tiles();
    float sums[kRowTiles][4] = {};
    fetch(d, 0, first_row);
    d.commit_copies();
    for (unsigned column = 0; column < columns; ++column) {
      if (column + 1 < columns) fetch(d, column + 1, first_row);
      d.commit_copies();
      column + 1 < columns ? d.template wait_copies<1>() : d.template wait_copies<0>();
      d.sync_block();
      if (row_tile < args.weights.row_tiles()) add_products(d, row_tile, column, first_row, sums);
      d.sync_block();
    }
    if (row_tile >= args.weights.row_tiles()) return;
    const LinearEnd<D> end(d, args, row_tile);
    MICIUS_UNROLL
    for (unsigned t = 0; t < kRowTiles; ++t) end.finish(first_row + 8 * t, sums[t]);
  }

 private:
  constexpr SharedAddress stage(unsigned column) const { return column % 2 * args.x.planes * kPlaneBytes; }

  // Starts to fetch 64 columns of the block's rows, as [plane][block of 32][row].
  template <typename D>
  MICIUS_KERNEL void fetch(D& d, unsigned column, unsigned first_row) const {
    const unsigned chunks = args.x.planes * kPlaneBytes / 16, last = args.x.stride - 1;
    for (unsigned chunk = d.thread(); chunk < chunks; chunk += 32 * kWarps) {
      const unsigned run = chunk / 4, row = first_row + run % kRows, b = run / kRows % 2,
                     plane = run / kRows / 2;
      d.copy_async(
          stage(column) + 16 * chunk,
          args.x.values + args.x.word(plane, 2 * column + b, row < last ? row : last) + chunk % 4 * 4);
    }
  }

  template <typename D>
  MICIUS_KERNEL void add_products(D& d, unsigned row_tile, unsigned column, unsigned first_row,
                                  float (&sums)[kRowTiles][4]) const {
    const TileRow tiles = tile_row<kFormat>(args.weights, row_tile);
    MICIUS_UNROLL
    for (unsigned b = 0; b < 2; ++b) {
      BlockWeights w;
      Tile<kFormat>::load(d, tiles, column, b, w);
      MICIUS_UNROLL
      for (unsigned t = 0; t < kRowTiles; ++t) {
        const Float2 of_inputs =
            Tile<kFormat>::kScaled ? input_sums(d, args.x, 2 * column + b, first_row + 8 * t) : Float2{0, 0};
        Words4 x[2] = {};
        MICIUS_UNROLL
        for (unsigned plane = 0; plane < 2; ++plane) {
          if (plane >= args.x.planes) continue;
          x[plane] = d.template shared_load<Words4>(stage(column) + plane * kPlaneBytes +
                                                    ((b * kRows) + 8 * t + d.lane() / 4) * kRunBytes +
                                                    d.lane() % 4 * 16);
        }
        multiply_block<Tile<kFormat>::kScaled>(d, w, x, args.x.planes, of_inputs, sums[t]);
      }
    }
  }
};

}  // namespace micius
