#include "gpu/emulated_gpu.h"

#include <cstring>
#include <new>
#include <variant>

#include <fmt/format.h>

#include "base/error.h"
#include "engine/ops/decode_attention_kernel.h"
#include "gpu/emulated_lanes.h"

namespace micius::emulation {
namespace {

constexpr std::align_val_t kAlignment{256};

template <typename T, typename F>
void with_attention(const DecodeArgs& args, const F& f) {
  with_decode_tiles(args.layout, [&](auto k, auto v) {
    f([&](EmulatedLanes& lanes) {
      decode_attention<EmulatedLanes, T, OwnRing<EmulatedLanes>, int{k.value}, int{v.value}>(lanes, args);
    });
  });
}

}  // namespace

EmulatedGpu::EmulatedGpu(std::size_t memory_bytes)
    : figures_{.multiprocessors = 2, .shared_bytes = 227 << 10, .bulk = false}, memory_bytes_(memory_bytes) {}

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

void EmulatedGpu::launch(const Kernel& kernel) {
  ++launches_;
  const auto start = [this](const auto& one) { run(one); };
  if (const auto* rows = std::get_if<RowKernel>(&kernel)) {
    std::visit([&](const auto& of_rows) { with_code(of_rows, start); }, *rows);
  } else {
    run(std::get<DecodeLaunch>(kernel));
  }
}

std::string EmulatedGpu::next_seed() { return fmt::format("launch {}", launches_); }

template <typename Code>
void EmulatedGpu::run(const Code& code) {
  const LaunchShape shape = code.shape();
  run_kernel({shape.blocks, shape.threads, shape.shared_bytes}, memory_, Arrival::kLate, next_seed(),
             [&](EmulatedLanes& lanes) { code(lanes); });
}

void EmulatedGpu::run(const DecodeLaunch& kernel) {
  const DecodeArgs& args = kernel.args;
  const DecodeShared shared(args.layout, args.tuning, args.layout.column_tiles());
  const auto start = [&](const std::function<void(EmulatedLanes&)>& code) {
    run_kernel({kernel.blocks, decode_threads(shared, args.tuning), shared.bytes}, memory_, Arrival::kLate,
               next_seed(), code);
  };
  args.layout.bf16 ? with_attention<BF16>(args, start) : with_attention<F16>(args, start);
}

}  // namespace micius::emulation
