// Decode attention on a GPU with one tuning after the other, to see which is best: a line each.
//
//   gpu_attention [repetitions [profile]]    two settings alone, for a profiler
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/gpu_device.h"
#include "engine/gpu_step_speed.h"

namespace micius {
namespace {

constexpr std::size_t kLeastRead = 1 << 20;  // where the plain read is not looked at

double median(std::vector<double> seconds) {
  const auto middle = seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2);
  std::nth_element(seconds.begin(), middle, seconds.end());
  return *middle;
}

DecodeTuning tuning_of(const Device& gpu, const AttentionShape& shape) {
  const GpuFigures& figures = gpu.figures();
  return decode_tuning(DecodeLayout(shape, DType::kF16), figures.multiprocessors, figures.shared_bytes,
                       figures.bulk);
}

struct Setting {
  AttentionShape shape;
  std::size_t context, batch;
};

// Of the kernel alone: as a graph, and where kernels may overlap.
void measure(Device& gpu, const Setting& s, std::optional<DecodeTuning> chosen, int repeats) {
  AttentionShape shape = s.shape;
  shape.scale = 1 / std::sqrt(static_cast<float>(shape.d_k));
  DecodeTuning t = chosen.value_or(tuning_of(gpu, shape));
  GpuAttentionBench bench(gpu, {shape}, kLeastRead);
  const AttentionTest test{.context = s.context - 1, .batch = s.batch};
  const auto us_a_layer = [&] {
    const AttentionResult result = bench.run(test, repeats, GpuStep::kAttention, t);
    return median(result.settings.front().attention) / static_cast<double>(result.layers) * 1e6;
  };
  const double graph = us_a_layer();
  t.overlap = t.bulk;
  const double overlapped = t.overlap ? us_a_layer() : 0, bytes = static_cast<double>(kv_bytes(shape, test));
  fmt::print("{}/{}/{} {} | {} x {} | {} {} {} {} {} | {:.2f} {:.2f} | {:.0f} {:.0f}\n", shape.n_q, shape.n_k,
             shape.n_v, shape.d_k, s.context, s.batch, t.bulk ? "bulk" : "own", t.blocks, t.warps, t.parts,
             t.stages, graph, overlapped, bytes / graph / 1e3, overlapped > 0 ? bytes / overlapped / 1e3 : 0);
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

void profile(Device& gpu, int repeats) {
  for (const std::size_t context : {4096, 32768}) measure(gpu, {kSigma, context, 1}, {}, repeats);
}

void run(Device& gpu, int repeats) {
  GpuAttentionBench reader(gpu, {kSigma});
  const AttentionResult read = reader.run({.context = 64, .layers = 2}, repeats);
  fmt::print(
      "{}, {} multiprocessors; read {:.0f} GB/s (best of {})\n", gpu.figures().name,
      gpu.figures().multiprocessors,
      static_cast<double>(reader.read_bytes()) / *std::min_element(read.read.begin(), read.read.end()) / 1e9,
      repeats);
  fmt::print(
      "heads, dim | tokens x sequences | blocks, warps, parts, stages | "
      "us a layer: graph, overlapped | GB/s: graph, overlapped\n");
  for (const std::size_t context : {2048, 4096, 16384, 32768}) {
    for (const AttentionShape& shape : {kStandard, kSigma}) measure(gpu, {shape, context, 1}, {}, repeats);
  }
  for (const Setting& setting :
       {Setting{kStandard, 8192, 32}, Setting{kSigma, 8192, 32}, Setting{kLarge, 32768, 1}}) {
    measure(gpu, setting, {}, repeats);
  }
  for (const std::size_t context : {4096, 32768}) {
    for (const AttentionShape& shape : {kSigma, kStandard}) {
      const DecodeLayout layout(shape, DType::kF16);
      for (const DecodeTuning& tuning :
           variants(layout, tuning_of(gpu, shape), gpu.figures().multiprocessors)) {
        measure(gpu, {shape, context, 1}, tuning, repeats);
      }
    }
  }
}

}  // namespace
}  // namespace micius

int main(int argc, char** argv) {
  try {
    const int repeats = argc > 1 ? std::max(1, std::atoi(argv[1])) : 15;
    const std::unique_ptr<micius::Device> gpu = micius::open_first_gpu();
    if (argc > 2 && std::string_view(argv[2]) == "profile") {
      micius::profile(*gpu, repeats);
    } else {
      micius::run(*gpu, repeats);
    }
  } catch (const micius::Error& error) {
    fmt::print(stderr, "gpu_attention: {}\n", error.what());
    return 2;
  }
  return 0;
}
