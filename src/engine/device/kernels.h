// The kernels of a forward pass, and those that it is measured by, as values that any device can start.
#pragma once

#include <cstdint>
#include <variant>

#include "engine/ops/attention_merge.h"
#include "engine/ops/decode_attention.h"
#include "engine/ops/dense_product.h"
#include "engine/ops/elementwise_gpu.h"
#include "engine/ops/encoder_gpu.h"
#include "engine/ops/kv_append.h"
#include "engine/ops/linear_kernel.h"
#include "engine/ops/logits_gpu.h"
#include "engine/ops/memory_read_gpu.h"
#include "engine/ops/prefill_attention.h"
#include "engine/ops/selective_attention.h"

namespace micius {

// Of rows: their shape says how they are started.
using RowKernel = std::variant<EmbeddingKernel, NormKernel, SplitKernel, GatedKernel, HeadsKernel,
                               GatherKernel, LinearArgs, LogitSummaryKernel, MemoryReadKernel,
                               GatherSumKernel, LayerNormKernel, GeluKernel, UnitMeansKernel>;

// A linear that has products, by a matrix library where the device has one.
struct DenseLaunch {
  LinearArgs args;
  bool operator==(const DenseLaunch&) const = default;
};

struct DecodeLaunch {
  DecodeArgs args;
  std::uint32_t blocks = 0;
  bool operator==(const DecodeLaunch&) const = default;
};

struct PrefillLaunch {
  PrefillArgs args;
  std::uint32_t blocks = 0;
  bool operator==(const PrefillLaunch&) const = default;
};

struct AppendLaunch {
  KvAppendArgs args;
  std::uint32_t tokens = 0;
  bool operator==(const AppendLaunch&) const = default;
};

struct CopyLaunch {
  KvCopyArgs args;
  std::uint32_t copies = 0;
  bool operator==(const CopyLaunch&) const = default;
};

struct MergeLaunch {
  AttentionMergeArgs args;
  std::uint32_t rows = 0;
  bool operator==(const MergeLaunch&) const = default;
};

// Both kernels of it.
struct SelectiveLaunch {
  SelectiveArgs args;
  std::uint32_t chunks = 0, sequences = 0;
  bool operator==(const SelectiveLaunch&) const = default;
};

// Two that are equal do the same to the same memory.
using Kernel = std::variant<RowKernel, DenseLaunch, DecodeLaunch, PrefillLaunch, AppendLaunch, CopyLaunch,
                            MergeLaunch, SelectiveLaunch>;

// The linear, by what is fastest for its shape.
inline Kernel linear_launch(const LinearArgs& args) {
  if (has_products(args)) return DenseLaunch{args};
  return RowKernel(args);
}

// Calls f with the code that a kernel of rows is run with: itself, but where it is written for several
// formats and sizes.
template <typename K, typename F>
void with_code(const K& kernel, const F& f) {
  f(kernel);
}

template <TileFormat kFormat, typename F>
void with_linear_code(const LinearArgs& args, const F& f) {
  if (args.x.rows <= 8) {
    f(FewRowsLinear<kFormat, 1>{args});
  } else if (args.x.rows <= 32) {
    f(FewRowsLinear<kFormat, 4>{args});
  } else {
    f(ManyRowsLinear<kFormat>{args});
  }
}

template <typename F>
void with_code(const LinearArgs& args, const F& f) {
  switch (args.weights.format) {
    case TileFormat::kQ8_0:
      return with_linear_code<TileFormat::kQ8_0>(args, f);
    case TileFormat::kQ4_0:
      return with_linear_code<TileFormat::kQ4_0>(args, f);
    case TileFormat::kQ4_1:
      return with_linear_code<TileFormat::kQ4_1>(args, f);
    default:
      return with_linear_code<TileFormat::kBF16>(args, f);
  }
}

}  // namespace micius
