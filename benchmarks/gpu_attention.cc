// Decode attention on a GPU with one tuning after the other, to see which is best: a line each.
//
//   gpu_attention [repetitions [profile]]    the latter: two settings alone, for a profiler
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/gpu_attention_speed.h"

namespace micius {
namespace {

double median_us(std::vector<double> seconds, std::size_t layers) {
  if (seconds.empty()) return 0;
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                   seconds.end());
  return seconds[seconds.size() / 2] / static_cast<double>(layers) * 1e6;
}

struct Setting {
  AttentionShape shape;
  std::size_t context, batch;
};

void measure(GpuBench& bench, const Setting& s, std::optional<DecodeTuning> tuning, int repeats) {
  AttentionShape shape = s.shape;
  shape.scale = 1 / std::sqrt(static_cast<float>(shape.d_k));
  const DecodeLayout layout(shape, DType::kBF16);
  const GpuAttentionTimes times =
      bench.attention({shape, DType::kBF16, s.context, s.batch, 0, tuning}, repeats);
  const DecodeTuning& t = times.tuning;
  const double bytes =
      static_cast<double>(s.context * s.batch * (shape.n_k * shape.d_k + shape.n_v * shape.d_v) * 2);
  const double stream = median_us(times.stream, times.layers), graph = median_us(times.graph, times.layers),
               overlapped = median_us(times.overlapped, times.layers);
  fmt::print("{}/{}/{} {} | {} x {} | {} {} {} {} {} | {:.2f} {:.2f} {:.2f} | {:.0f} {:.0f}\n", shape.n_q,
             shape.n_k, shape.n_v, shape.d_k, s.context, s.batch, t.bulk ? "bulk" : "own", t.blocks, t.warps,
             t.parts, t.stages, stream, graph, overlapped, bytes / graph / 1e3,
             overlapped > 0 ? bytes / overlapped / 1e3 : 0);
  std::fflush(stdout);
}

// Tunings beside the default that fit.
std::vector<DecodeTuning> variants(const DecodeLayout& layout, std::uint32_t blocks) {
  std::vector<DecodeTuning> all;
  constexpr std::uint32_t kShared = 227 << 10;
  for (const bool bulk : {true, false}) {
    for (const std::uint32_t a_block : {1U, 2U}) {  // blocks of a multiprocessor
      for (const std::uint32_t warps : {4U, 8U}) {
        for (const std::uint32_t parts : {1U, 2U, 4U}) {
          for (const std::uint32_t share : {1U, 2U}) {  // of the stages that fit
            DecodeTuning t{.blocks = blocks * a_block, .warps = warps, .parts = parts, .bulk = bulk};
            const std::uint32_t step = bulk ? warps : 1;
            t.stages = bulk ? 32 : 4;
            const auto fits = [&] {
              return DecodeShared(layout, t, layout.column_tiles()).bytes <=
                     kShared / a_block - (a_block > 1 ? 1024 : 0);
            };
            while (t.stages > step && !fits()) t.stages -= step;
            if (!fits() || t.stages < 2 || (!bulk && share > 1)) continue;
            t.stages = t.stages / share / step * step;
            if (t.stages >= std::max(2U, step)) all.push_back(t);
          }
        }
      }
    }
  }
  return all;
}

constexpr AttentionShape kSigma{32, 4, 16, 64, 64, 0}, kStandard{32, 16, 16, 64, 64, 0},
    kLarge{32, 4, 16, 128, 128, 0};

void profile(int repeats) {
  GpuBench bench;
  for (const std::size_t context : {4096, 32768}) measure(bench, {kSigma, context, 1}, {}, repeats);
}

void run(int repeats) {
  GpuBench bench;
  const GpuMemoryRates rates = bench.memory(repeats);
  fmt::print("{}, {} multiprocessors; read {:.0f} GB/s, copy {:.0f} GB/s (best of {})\n", bench.name(),
             bench.multiprocessors(), *std::max_element(rates.read.begin(), rates.read.end()) / 1e9,
             *std::max_element(rates.copy.begin(), rates.copy.end()) / 1e9, repeats);
  fmt::print(
      "heads, dim | tokens x sequences | blocks, warps, parts, stages | us a layer: launches, graph, "
      "overlapped | GB/s: "
      "graph, overlapped\n");
  for (const std::size_t context : {2048, 4096, 16384, 32768}) {
    for (const AttentionShape& shape : {kStandard, kSigma}) measure(bench, {shape, context, 1}, {}, repeats);
  }
  for (const AttentionShape& shape : {kStandard, kSigma}) measure(bench, {shape, 8192, 32}, {}, repeats);
  measure(bench, {kLarge, 32768, 1}, {}, repeats);
  for (const Setting& setting :
       {Setting{kSigma, 4096, 1}, Setting{kSigma, 32768, 1}, Setting{kStandard, 32768, 1}}) {
    const DecodeLayout layout(setting.shape, DType::kBF16);
    for (const DecodeTuning& tuning : variants(layout, bench.multiprocessors())) {
      measure(bench, setting, tuning, repeats);
    }
  }
}

}  // namespace
}  // namespace micius

int main(int argc, char** argv) {
  try {
    const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
    argc > 2 ? micius::profile(repeats) : micius::run(repeats);
  } catch (const micius::Error& error) {
    fmt::print(stderr, "gpu_attention: {}\n", error.what());
    return 2;
  }
  return 0;
}
