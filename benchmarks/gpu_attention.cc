// Decode attention on a GPU with one tuning after the other, to see which is best: a line each.
//
//   gpu_attention [repetitions [profile | phases]]    two settings alone, for a profiler; where the time goes
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/gpu_attention_speed.h"
#include "engine/ops/decode_attention_phases.h"

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

// Other blocks and warps than the default's, as far as they fit.
std::vector<DecodeTuning> variants(const DecodeLayout& layout, const DecodeTuning& chosen,
                                   std::uint32_t multiprocessors) {
  constexpr std::uint32_t kShared = 227 << 10;
  std::vector<DecodeTuning> all;
  for (const std::uint32_t warps : {4U, 8U}) {
    for (const std::uint32_t blocks :
         {multiprocessors, multiprocessors / 32 * 32, multiprocessors / 4 * 3, multiprocessors / 2}) {
      DecodeTuning t = chosen;
      t.warps = warps;
      if (t.bulk) t.stages = 8;
      t.blocks = blocks;
      if (DecodeShared(layout, t, layout.column_tiles()).bytes <= kShared) all.push_back(t);
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

constexpr const char* kPhaseNames[kDecodePhases] = {"entry",   "ready", "free",       "queries",
                                                    "stage",   "seen",  "put",        "merged",
                                                    "counted", "end",   "first copy", "last copy"};

// Nearest rank.
double quantile(std::vector<double>& values, double part) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(part * static_cast<double>(values.size() - 1))];
}

// Of the later layers: cycles from a block's first entry to each phase, in the least, median, most late warp;
// then, in us of the GPU's clock, from the end of the layer before.
void print_phases(const GpuPhases& phases) {
  const std::size_t block_stamps = phases.warps * kDecodePhases, layer_stamps = phases.blocks * block_stamps;
  const auto stamp = [&](std::size_t layer, std::size_t block, std::size_t warp,
                         unsigned phase) -> const GpuStamp& {
    return phases.stamps[layer * layer_stamps + block * block_stamps + warp * kDecodePhases + phase];
  };
  const auto last_ns = [&](std::size_t layer) {
    std::uint64_t last = 0;
    for (std::size_t i = 0; i < layer_stamps; ++i)
      last = std::max(last, phases.stamps[layer * layer_stamps + i].ns);
    return last;
  };
  for (unsigned phase = 0; phase < kDecodePhases; ++phase) {
    std::vector<double> cycles, us;
    for (std::size_t layer = phases.layers / 2; layer < phases.layers; ++layer) {
      const auto before = static_cast<double>(last_ns(layer - 1));
      for (std::size_t block = 0; block < phases.blocks; ++block) {
        std::uint64_t entry = ~std::uint64_t{0};
        for (std::size_t warp = 0; warp < phases.warps; ++warp) {
          entry = std::min(entry, stamp(layer, block, warp, kPhaseEntry).cycles);
        }
        for (std::size_t warp = 0; warp < phases.warps; ++warp) {
          const GpuStamp& s = stamp(layer, block, warp, phase);
          if (s.cycles == 0) continue;
          cycles.push_back(static_cast<double>(s.cycles - entry));
          us.push_back((static_cast<double>(s.ns) - before) / 1e3);
        }
      }
    }
    if (cycles.empty()) continue;
    fmt::print("  {:<10} cycles {:>7.0f} {:>7.0f} {:>7.0f} | us {:>7.2f} {:>7.2f} {:>7.2f}\n",
               kPhaseNames[phase], quantile(cycles, 0), quantile(cycles, 0.5), quantile(cycles, 1),
               quantile(us, 0), quantile(us, 0.5), quantile(us, 1));
  }
}

void print_all_phases() {
  GpuBench bench;
  for (const std::size_t context : {4096, 32768}) {
    for (const bool overlap : {false, true}) {
      fmt::print("phases of sigma, {} tokens, {}: least, median, most; us from the end of the layer before\n",
                 context, overlap ? "overlapped" : "graph");
      AttentionShape shape = kSigma;
      shape.scale = 1 / std::sqrt(static_cast<float>(shape.d_k));
      print_phases(bench.phases({shape, DType::kBF16, context, 1, 0, {}}, overlap));
    }
  }
}

void run(int repeats) {
  GpuBench bench;
  const GpuMemoryRates rates = bench.memory(repeats);
  fmt::print("{}, {} multiprocessors; read {:.0f} GB/s, copy {:.0f} GB/s (best of {})\n", bench.name(),
             bench.multiprocessors(), *std::max_element(rates.read.begin(), rates.read.end()) / 1e9,
             *std::max_element(rates.copy.begin(), rates.copy.end()) / 1e9, repeats);
  fmt::print(
      "heads, dim | tokens x sequences | blocks, warps, parts, stages | "
      "us a layer: launches, graph, overlapped | GB/s: graph, overlapped\n");
  for (const std::size_t context : {2048, 4096, 16384, 32768}) {
    for (const AttentionShape& shape : {kStandard, kSigma}) measure(bench, {shape, context, 1}, {}, repeats);
  }
  for (const Setting& setting :
       {Setting{kStandard, 8192, 32}, Setting{kSigma, 8192, 32}, Setting{kLarge, 32768, 1}}) {
    measure(bench, setting, {}, repeats);
  }
  for (const std::size_t context : {4096, 32768}) {
    for (const AttentionShape& shape : {kSigma, kStandard}) {
      const DecodeLayout layout(shape, DType::kBF16);
      for (const DecodeTuning& tuning : variants(layout, bench.tuning(layout), bench.multiprocessors())) {
        measure(bench, {shape, context, 1}, tuning, repeats);
      }
    }
  }
}

}  // namespace
}  // namespace micius

int main(int argc, char** argv) {
  try {
    const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
    const std::string_view what = argc > 2 ? argv[2] : "";
    if (what == "profile") {
      micius::profile(repeats);
    } else if (what == "phases") {
      micius::print_all_phases();
    } else {
      micius::run(repeats);
    }
  } catch (const micius::Error& error) {
    fmt::print(stderr, "gpu_attention: {}\n", error.what());
    return 2;
  }
  return 0;
}
