// How fast decode attention is on a GPU: one new token of each sequence over a context of random keys and
// values, in so many layers that its cache does not hold what is read. In a build without CUDA everything
// throws Error{kUnsupported}.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/kv_page.h"
#include "engine/ops/decode_attention.h"

namespace micius {

struct GpuAttentionTest {
  AttentionShape shape;
  DType dtype = DType::kBF16;
  std::size_t context = 0;  // tokens, the new one among them
  std::size_t batch = 1;    // sequences
  std::size_t layers = 0;   // 0: 26, or so many that their keys and values are 256 MB; of 8 GB at most, but 2
  std::optional<DecodeTuning> tuning;  // absent: what decode_tuning() chooses
};

// Seconds of one step of all layers by CUDA events, by repeat.
struct GpuAttentionTimes {
  std::size_t layers = 0;
  DecodeTuning tuning;
  std::vector<double> stream;  // one launch after the other
  std::vector<double> graph;   // the same as a CUDA graph
  std::vector<double>
      overlapped;  // as a graph whose kernels start while the one before ends; empty before sm_90
};

// When a warp passes a point: cycles of its multiprocessor, and nanoseconds of the GPU (in steps of 32 or
// so).
struct alignas(16) GpuStamp {
  std::uint64_t cycles = 0, ns = 0;
};
// Of one step as an overlapped graph: [layers][blocks][warps][kDecodePhases]; zero where a warp does not
// pass.
struct GpuPhases {
  std::size_t layers = 0, blocks = 0, warps = 0;  // the last of a block's warps fetches
  std::vector<GpuStamp> stamps;
};

// Bytes a second, by repeat.
struct GpuMemoryRates {
  std::vector<double> read, copy;  // the latter: of bytes read and bytes written
};

class GpuBench {
 public:
  GpuBench();  // of the first GPU; throws Error{kUnsupported} where there is none
  ~GpuBench();
  GpuBench(const GpuBench&) = delete;
  GpuBench& operator=(const GpuBench&) = delete;

  std::string name() const;
  std::uint32_t multiprocessors() const;
  // The tuning that a test without one gets.
  DecodeTuning tuning(const DecodeLayout& layout) const;
  // Of 1 GB.
  GpuMemoryRates memory(int repeats);
  GpuAttentionTimes attention(const GpuAttentionTest& test, int repeats);
  // For bf16, heads of 64 dims and bulk copies; throws Error{kUnsupported} for others.
  GpuPhases phases(const GpuAttentionTest& test, bool overlap);

 private:
  struct Device;
  std::unique_ptr<Device> device_;
};

}  // namespace micius
