#include "gpu/emulated_gpu.h"

#include <chrono>
#include <cstring>
#include <new>
#include <variant>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/ops/attention_merge_kernel.h"
#include "engine/ops/decode_attention_kernel.h"
#include "engine/ops/kv_append_kernel.h"
#include "engine/ops/prefill_attention_kernel.h"
#include "engine/ops/selective_scores_kernel.h"
#include "engine/ops/selective_values_kernel.h"
#include "engine/quant.h"
#include "gpu/emulated_lanes.h"

namespace micius::emulation {
namespace {

constexpr std::align_val_t kAlignment{256};

// Calls f with the format of keys and values, and the numbers of their tiles, as types.
template <typename F>
void with_format(const DecodeLayout& layout, const F& f) {
  with_decode_tiles(layout, [&](auto k, auto v) { layout.bf16 ? f(BF16{}, k, v) : f(F16{}, k, v); });
}

}  // namespace

EmulatedGpu::EmulatedGpu(std::size_t memory_bytes, std::uint32_t multiprocessors)
    : figures_{.multiprocessors = multiprocessors,
               .shared_bytes = 227 << 10,
               .bulk = false,
               .launch_bytes = 0,
               .name = "emulated GPU"},
      memory_bytes_(memory_bytes) {}

EmulatedGpu::~EmulatedGpu() {
  for (const auto& [memory, bytes] : sizes_) ::operator delete(memory, kAlignment);
}

std::byte* EmulatedGpu::allocate(std::size_t bytes) {
  if (bytes > memory_bytes_ - allocated_) {
    fail(ErrorCode::kIo, "no room for {} bytes: {} of {} are in use", bytes, allocated_, memory_bytes_);
  }
  auto* const memory = static_cast<std::byte*>(::operator new(bytes + 1, kAlignment));
  std::memset(memory, 0xff, bytes);
  memory_.allow(memory, bytes, GlobalMemory::Access::kReadWrite);
  sizes_[memory] = bytes;
  allocated_ += bytes;
  return memory;
}

void EmulatedGpu::release(std::byte* memory) noexcept {
  allocated_ -= sizes_.at(memory);
  sizes_.erase(memory);
  memory_.forbid(memory);
  ::operator delete(memory, kAlignment);
}

void EmulatedGpu::copy(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }

double EmulatedGpu::seconds_of(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void EmulatedGpu::launch(const Kernel& kernel) {
  ++launches_;
  ++launches_of_[kernel.index()];
  std::visit([this](const auto& one) { run(one); }, kernel);
}

class EmulatedGpu::Recorded : public Recording {
 public:
  Recorded(EmulatedGpu& gpu, std::span<const Kernel> kernels)
      : gpu_(gpu), kernels_(kernels.begin(), kernels.end()) {}

  void start() override {
    ++gpu_.replays_;
    for (const Kernel& kernel : kernels_) gpu_.launch(kernel);
  }

 private:
  EmulatedGpu& gpu_;
  std::vector<Kernel> kernels_;
};

std::unique_ptr<Recording> EmulatedGpu::record(std::span<const Kernel> kernels) {
  ++recordings_;
  return std::make_unique<Recorded>(*this, kernels);
}

void EmulatedGpu::start(const LaunchShape& shape, const std::function<void(EmulatedLanes&)>& code) {
  run_kernel({shape.blocks, shape.threads, shape.shared_bytes}, memory_, Arrival::kLate,
             fmt::format("launch {}", launches_), code);
}

void EmulatedGpu::run(const RowKernel& kernel) {
  const auto run_code = [this](const auto& code) {
    start(code.shape(), [&](EmulatedLanes& lanes) { code(lanes); });
  };
  std::visit([&](const auto& of_rows) { with_code(of_rows, run_code); }, kernel);
}

void EmulatedGpu::run(const DenseLaunch& kernel) {
  for (std::uint32_t plane = 0; plane < kernel.args.x.planes; ++plane) run(plane_product(kernel.args, plane));
}

void EmulatedGpu::run(const MatrixProduct& product) {
  const auto [a, b, d, bias, m, n, k, beta] = product;
  const auto check = [this](const auto* values, std::size_t bytes, GlobalMemory::Access access) {
    memory_.check(0, 0, values, bytes, access);
  };
  check(a, std::size_t{m} * k * 2, GlobalMemory::Access::kRead);
  check(b, std::size_t{n} * k * 2, GlobalMemory::Access::kRead);
  check(d, std::size_t{m} * n * 4, GlobalMemory::Access::kReadWrite);
  if (bias != nullptr) check(bias, std::size_t{m} * 4, GlobalMemory::Access::kRead);
  const auto at = [k = k](const std::uint32_t* matrix, std::size_t column, std::size_t row) {
    const std::uint32_t word = matrix[(column * k + row) / 2];
    return double{bf16_to_f32(static_cast<std::uint16_t>(word >> row % 2 * 16))};
  };
  for (std::size_t column = 0; column < n; ++column) {
    for (std::size_t row = 0; row < m; ++row) {
      float& to = d[column * m + row];
      double sum = bias == nullptr ? 0 : bias[row];
      for (std::size_t i = 0; i < k; ++i) sum += at(a, row, i) * at(b, column, i);
      to = static_cast<float>(beta == 0 ? sum : sum + double{beta} * to);
    }
  }
}

void EmulatedGpu::run(const DecodeLaunch& kernel) {
  const DecodeArgs& args = kernel.args;
  const DecodeShared shared(args.layout, args.tuning, args.layout.column_tiles());
  const LaunchShape shape{kernel.blocks, decode_threads(shared, args.tuning), shared.bytes};
  with_format(args.layout, [&](auto format, auto k, auto v) {
    start(shape, [&](EmulatedLanes& lanes) {
      decode_attention<EmulatedLanes, decltype(format), OwnRing<EmulatedLanes>, int{decltype(k)::value},
                       int{decltype(v)::value}>(lanes, args);
    });
  });
}

void EmulatedGpu::run(const PrefillLaunch& kernel) {
  const PrefillArgs& args = kernel.args;
  const LaunchShape shape{kernel.blocks, 32 * args.tuning.warps, PrefillShared(args.layout).bytes};
  with_format(args.layout, [&](auto format, auto k, auto v) {
    start(shape, [&](EmulatedLanes& lanes) {
      prefill_attention<EmulatedLanes, decltype(format), int{decltype(k)::value}, int{decltype(v)::value}>(
          lanes, args);
    });
  });
}

void EmulatedGpu::run(const AppendLaunch& kernel) {
  const KvAppendArgs& args = kernel.args;
  start({kernel.tokens, kAppendThreads, 0}, [&](EmulatedLanes& lanes) {
    args.layout.bf16 ? kv_append<EmulatedLanes, BF16>(lanes, args)
                     : kv_append<EmulatedLanes, F16>(lanes, args);
  });
}

void EmulatedGpu::run(const MergeLaunch& kernel) {
  start({kernel.rows, kMergeThreads, 0}, [&](EmulatedLanes& lanes) { merge_attention(lanes, kernel.args); });
}

void EmulatedGpu::run(const SelectiveLaunch& kernel) {
  const SelectiveArgs& args = kernel.args;
  const SelectShared shared(args.layout, args.top, args.most_parts);
  with_format(args.layout, [&](auto format, auto k, auto v) {
    using Format = decltype(format);
    start({kernel.chunks * args.layout.n_k, 32 * kScoreWarps, score_shared_bytes(args.layout)},
          [&](EmulatedLanes& lanes) {
            score_keys<EmulatedLanes, Format, int{decltype(k)::value}>(lanes, args);
          });
    start({kernel.sequences * args.layout.n_q, 32 * kSelectWarps, shared.bytes}, [&](EmulatedLanes& lanes) {
      select_values<EmulatedLanes, Format, int{decltype(v)::value}>(lanes, args);
    });
  });
}

void EmulatedGpu::run(const CopyLaunch& kernel) {
  start({kv_copy_blocks(kernel.args.layout, kernel.copies), kAppendThreads, 0},
        [&](EmulatedLanes& lanes) { kv_copy(lanes, kernel.args); });
}

}  // namespace micius::emulation
