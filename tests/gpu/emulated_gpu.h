// A Device on the CPU: memory that is poisoned until it is written, kernels by the emulation.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <variant>

#include "engine/device/device.h"
#include "gpu/emulated_device.h"

namespace micius::emulation {

class EmulatedGpu : public Device {
 public:
  // Allocations beyond `memory_bytes` fail as a GPU's would. Work is cut for so many multiprocessors.
  explicit EmulatedGpu(std::size_t memory_bytes = std::size_t{1} << 30, std::uint32_t multiprocessors = 2);
  ~EmulatedGpu() override;

  const GpuFigures& figures() const override { return figures_; }
  std::byte* allocate(std::size_t bytes) override;
  void release(std::byte* memory) noexcept override;
  void copy(void* to, const void* from, std::size_t bytes) override;
  void launch(const Kernel& kernel) override;
  std::unique_ptr<Recording> record(std::span<const Kernel> kernels) override;
  std::size_t free_bytes() const override { return memory_bytes_ - allocated_; }
  double seconds_of(const std::function<void()>& work) override;  // by this machine's clock

  std::size_t launches() const { return launches_; }  // of kernels, those of recordings too
  template <typename K>
  std::size_t launches_of() const {
    return launches_of_[Kernel(K{}).index()];
  }
  std::size_t recordings() const { return recordings_; }
  std::size_t replays() const { return replays_; }
  std::size_t allocated() const { return allocated_; }

 private:
  void start(const LaunchShape& shape, const std::function<void(EmulatedLanes&)>& code);
  void run(const RowKernel& kernel);
  void run(const DenseLaunch& kernel);
  void run(const MatrixProduct& product);  // as a matrix library has it
  void run(const DecodeLaunch& kernel);
  void run(const PrefillLaunch& kernel);
  void run(const AppendLaunch& kernel);
  void run(const MergeLaunch& kernel);
  void run(const SelectiveLaunch& kernel);

  class Recorded;
  void run(const CopyLaunch& kernel);

  GpuFigures figures_;
  std::size_t memory_bytes_, allocated_ = 0, launches_ = 0, recordings_ = 0, replays_ = 0;
  std::array<std::size_t, std::variant_size_v<Kernel>> launches_of_{};  // by kind
  std::map<std::byte*, std::size_t> sizes_;
  GlobalMemory memory_;
};

}  // namespace micius::emulation
