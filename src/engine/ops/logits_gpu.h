// Both ends of a forward pass: embedding rows, and what is known of a row's logits, from the parts that a
// linear with kSummaries left.
#pragma once

#include <cfloat>
#include <cstddef>
#include <cstdint>

#include "engine/device/lanes.h"
#include "engine/ops/linear_end.h"
#include "engine/ops/linear_tiles.h"

namespace micius {

// Embedding rows: rows `ids` of tiled weights, times `scale`.
struct EmbeddingKernel {
  TiledWeights table;
  const std::int32_t* ids = nullptr;  // [rows]
  float* out = nullptr;               // [rows, table.inputs]
  std::uint32_t rows = 0;
  float scale = 1;

  constexpr LaunchShape shape() const { return {rows, row_threads(table.inputs), 0}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    const auto id = static_cast<std::uint32_t>(d.load(ids + d.block()));
    float* const to = out + std::size_t{d.block()} * table.inputs;
    for (unsigned column = d.thread(); column < table.inputs; column += row_threads(table.inputs)) {
      d.store(to + column, weight_at(d, table, id, column) * scale);
    }
  }
  bool operator==(const EmbeddingKernel&) const = default;
};

// The parts of a row put together: a block a row.
struct LogitSummaryKernel {
  static constexpr std::uint32_t kThreads = 128;

  const LogitPartial* partials = nullptr;  // [parts][rows]
  LogitPartial* out = nullptr;             // [rows]
  std::uint32_t parts = 0, rows = 0;

  constexpr LaunchShape shape() const { return {rows, kThreads, kThreads / 32 * sizeof(LogitPartial)}; }
  template <typename D>
  MICIUS_KERNEL void operator()(D& d) const {
    LogitPartial mine{-FLT_MAX, 0, 0, 0};
    for (unsigned part = d.thread(); part < parts; part += kThreads) {
      const LogitPartial* const from = partials + std::size_t{part} * rows + d.block();
      const LogitPartial other{d.load_fresh(&from->max), d.load_fresh(&from->sum),
                               d.load_fresh(&from->argmax), 0};
      if (mine.sum == 0) {
        mine = other;
      } else {
        merge_logits(d, mine, other);
      }
    }
    merge_lanes(d, mine, 1);
    if (d.lane() == 0) d.shared_store(d.warp() * sizeof(LogitPartial), mine);
    d.sync_block();
    if (d.thread() > 0) return;
    for (unsigned warp = 1; warp < kThreads / 32; ++warp) {
      merge_logits(d, mine, d.template shared_load<LogitPartial>(warp * sizeof(LogitPartial)));
    }
    d.store(out + d.block(), mine);
  }
  bool operator==(const LogitSummaryKernel&) const = default;
};

}  // namespace micius
