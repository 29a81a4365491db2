#include <functional>
#include <memory>
#include <type_traits>
#include <variant>
#include <vector>

#include <cuda_runtime_api.h>

#include "base/error.h"
#include "base/format.h"
#include "engine/device/gpu_memory_internal.h"
#include "engine/device/matrix_library.h"
#include "engine/gpu.h"
#include "engine/gpu_device.h"
#include "engine/ops/kv_append_gpu.h"
#include "engine/ops/prefill_attention_gpu.h"
#include "engine/ops/selective_attention_gpu.h"

namespace micius {

int launch_row_kernel(const RowKernel& kernel, void* stream);  // a cudaError_t

namespace {

// A CUDA graph, of what was started on a stream while it was captured.
class CudaRecording : public Recording {
 public:
  // Of the current GPU, which is `gpu`.
  CudaRecording(int gpu, cudaStream_t stream, const std::function<void()>& start_all)
      : gpu_(gpu), stream_(stream) {
    check_cuda(cudaStreamBeginCapture(stream, cudaStreamCaptureModeThreadLocal), "begin of a graph");
    cudaGraph_t captured = nullptr;
    try {
      start_all();
    } catch (...) {
      cudaStreamEndCapture(stream, &captured);
      if (captured != nullptr) cudaGraphDestroy(captured);
      throw;
    }
    check_cuda(cudaStreamEndCapture(stream, &captured), "end of a graph");
    const std::unique_ptr<std::remove_pointer_t<cudaGraph_t>, DestroyGraph> graph(captured);
    cudaGraphExec_t ready = nullptr;
    check_cuda(cudaGraphInstantiate(&ready, captured, 0), "graph");
    graph_.reset(ready);
  }

  void start() override {
    check_cuda(cudaSetDevice(gpu_), "choice of a GPU");
    check_cuda(cudaGraphLaunch(graph_.get(), stream_), "start of a graph");
  }

 private:
  struct DestroyGraph {
    void operator()(cudaGraph_t graph) const { cudaGraphDestroy(graph); }
  };
  struct Destroy {
    void operator()(cudaGraphExec_t graph) const { cudaGraphExecDestroy(graph); }
  };
  int gpu_;
  cudaStream_t stream_;
  std::unique_ptr<std::remove_pointer_t<cudaGraphExec_t>, Destroy> graph_;
};

// Its calls make it the current GPU of their thread, whatever the thread had to do with before.
class CudaDevice : public Device {
 public:
  explicit CudaDevice(int index)
      : index_(index), figures_(gpu_figures(index)), library_(MatrixLibrary::open()) {
    if (library_ != nullptr) figures_.matrix_library = library_->name();
    cudaStream_t stream = nullptr;
    check_cuda(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
    stream_.reset(stream);
  }
  ~CudaDevice() override { static_cast<void>(cudaSetDevice(index_)); }  // what its members end is there

  const GpuFigures& figures() const override { return figures_; }

  std::byte* allocate(std::size_t bytes) override {
    make_current();
    void* memory = nullptr;
    const cudaError_t error = cudaMalloc(&memory, bytes + 1);  // of 0 bytes there is none
    if (error == cudaErrorMemoryAllocation) {
      static_cast<void>(cudaGetLastError());  // else the next call tells of it again
      fail(ErrorCode::kIo,
           "no room on the GPU for {}: {} are free; use a smaller --batch-tokens or --kv-memory",
           format_bytes(bytes), format_bytes(free_bytes()));
    }
    check_cuda(error, "memory");
    return static_cast<std::byte*>(memory);
  }

  void release(std::byte* memory) noexcept override { cudaFree(memory); }

  void copy(void* to, const void* from, std::size_t bytes) override {
    make_current();
    check_cuda(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_.get()), "copy");
    check_cuda(cudaStreamSynchronize(stream_.get()), "copy");
  }

  void launch(const Kernel& kernel) override {
    make_current();
    std::visit([this](const auto& one) { start(one); }, kernel);
  }

  std::unique_ptr<Recording> record(std::span<const Kernel> kernels) override {
    make_current();
    return std::make_unique<CudaRecording>(index_, stream_.get(), [&] {
      for (const Kernel& kernel : kernels) launch(kernel);
    });
  }

  std::size_t free_bytes() const override {
    make_current();
    std::size_t free = 0, all = 0;
    check_cuda(cudaMemGetInfo(&free, &all), "free memory");
    return free;
  }

  double seconds_of(const std::function<void()>& work) override {
    make_current();
    const Event start = new_event(), end = new_event();
    check_cuda(cudaEventRecord(start.get(), stream_.get()), "event");
    work();
    check_cuda(cudaEventRecord(end.get(), stream_.get()), "event");
    check_cuda(cudaEventSynchronize(end.get()), "what was timed");
    float ms = 0;
    check_cuda(cudaEventElapsedTime(&ms, start.get(), end.get()), "elapsed time");
    return ms / 1e3;
  }

 private:
  struct Destroy {
    void operator()(cudaStream_t stream) const { cudaStreamDestroy(stream); }
    void operator()(cudaEvent_t event) const { cudaEventDestroy(event); }
  };
  using Event = std::unique_ptr<std::remove_pointer_t<cudaEvent_t>, Destroy>;

  static Event new_event() {
    cudaEvent_t event = nullptr;
    check_cuda(cudaEventCreate(&event), "event");
    return Event(event);
  }

  void make_current() const { check_cuda(cudaSetDevice(index_), "choice of a GPU"); }

  void start(const RowKernel& kernel) const {
    check_cuda(static_cast<cudaError_t>(launch_row_kernel(kernel, stream_.get())), "start of a kernel");
  }
  void start(const DenseLaunch& kernel) const {
    std::vector<MatrixProduct> products;
    for (std::uint32_t plane = 0; plane < kernel.args.x.planes; ++plane) {
      products.push_back(plane_product(kernel.args, plane));
    }
    if (library_ == nullptr || !library_->start(products, stream_.get())) start(RowKernel(kernel.args));
  }
  void start(const DecodeLaunch& kernel) const { launch_decode(kernel.args, kernel.blocks, stream_.get()); }
  void start(const PrefillLaunch& kernel) const {
    launch_prefill(kernel.args, kernel.blocks, {.stream = stream_.get()});
  }
  void start(const AppendLaunch& kernel) const {
    launch_kv_append(kernel.args, kernel.tokens, {.stream = stream_.get()});
  }
  void start(const MergeLaunch& kernel) const {
    launch_merge(kernel.args, kernel.rows, {.stream = stream_.get()});
  }
  void start(const SelectiveLaunch& kernel) const {
    launch_selective(kernel.args, kernel.chunks, kernel.sequences, {.stream = stream_.get()});
  }
  void start(const CopyLaunch& kernel) const {
    launch_kv_copy(kernel.args, kernel.copies, {.stream = stream_.get()});
  }

  int index_;
  GpuFigures figures_;
  std::unique_ptr<MatrixLibrary> library_;  // null: there is none
  std::unique_ptr<std::remove_pointer_t<cudaStream_t>, Destroy> stream_;
};

}  // namespace

std::unique_ptr<Device> open_gpu(const Gpu& gpu) { return std::make_unique<CudaDevice>(gpu.index); }

}  // namespace micius
