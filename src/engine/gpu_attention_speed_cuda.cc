#include <algorithm>
#include <functional>
#include <numeric>

#include <cuda_runtime_api.h>

#include "base/error.h"
#include "base/rng.h"
#include "engine/device/gpu_memory_internal.h"
#include "engine/gpu.h"
#include "engine/gpu_attention_speed.h"
#include "engine/ops/decode_attention_gpu.h"
#include "engine/ops/decode_attention_phases.h"
#include "engine/speed_internal.h"

namespace micius {

int launch_read_kernel(const void* data, std::size_t bytes, std::uint32_t* sums, std::uint32_t blocks,
                       void* stream);
int launch_timed_decode(const DecodeArgs& args, std::uint32_t blocks, GpuStamp* stamps, void* stream);

namespace {

constexpr std::size_t kUncachedBytes = 256 << 20, kMostBytes = std::size_t{8} << 30;
constexpr std::size_t kFewLayers = 26, kRandomPages = 8;
constexpr std::size_t kReadBytes = std::size_t{1} << 30;

class Stream {
 public:
  Stream() { check_cuda(cudaStreamCreate(&stream_), "stream"); }
  ~Stream() { cudaStreamDestroy(stream_); }
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  cudaStream_t get() const { return stream_; }

 private:
  cudaStream_t stream_ = nullptr;
};

class Event {
 public:
  Event() { check_cuda(cudaEventCreate(&event_), "event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  void record(const Stream& stream) { check_cuda(cudaEventRecord(event_, stream.get()), "event"); }
  double seconds_since(const Event& start) const {
    check_cuda(cudaEventSynchronize(event_), "what was timed");
    float ms = 0;
    check_cuda(cudaEventElapsedTime(&ms, start.event_, event_), "elapsed time");
    return ms / 1e3;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

// What `work` starts on the stream, to be started as one.
class Graph {
 public:
  Graph(const Stream& stream, const std::function<void()>& work) {
    check_cuda(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeRelaxed), "capture");
    work();
    check_cuda(cudaStreamEndCapture(stream.get(), &graph_), "capture");
    check_cuda(cudaGraphInstantiate(&executable_, graph_, 0), "graph");
  }
  ~Graph() {
    if (executable_ != nullptr) cudaGraphExecDestroy(executable_);
    if (graph_ != nullptr) cudaGraphDestroy(graph_);
  }
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;
  void start(const Stream& stream) const { check_cuda(cudaGraphLaunch(executable_, stream.get()), "graph"); }

 private:
  cudaGraph_t graph_ = nullptr;
  cudaGraphExec_t executable_ = nullptr;
};

// Seconds of each of `repeats` runs, after two that warm up.
std::vector<double> times_of(const Stream& stream, int repeats, const std::function<void()>& work) {
  std::vector<double> times;
  Event start, end;
  for (int repeat = -2; repeat < repeats; ++repeat) {
    start.record(stream);
    work();
    end.record(stream);
    const double seconds = end.seconds_since(start);
    if (repeat >= 0) times.push_back(seconds);
  }
  return times;
}

// The layers' keys and values and the operands of a step.
class Layers {
 public:
  Layers(const GpuAttentionTest& test, const DecodeLayout& layout, const DecodeTuning& tuning,
         std::size_t layers);
  void launch(const Stream& stream, bool overlap) const;
  // The same with stamps of each layer.
  void launch_timed(const Stream& stream, bool overlap, GpuStamp* stamps) const;
  const DecodePlan& plan() const { return plan_; }
  // Of a block.
  std::size_t warps() const {
    const DecodeShared shared(args_.layout, args_.tuning, args_.layout.column_tiles());
    return decode_threads(shared, args_.tuning) / 32;
  }

 private:
  void fill(const DecodeLayout& layout);

  std::size_t layers_, layer_pages_;
  DecodePlan plan_;
  GpuArray<std::byte> pages_;
  GpuArray<std::uint32_t> table_, tickets_;
  GpuArray<DecodeSegment> segments_;
  GpuArray<float> q_, out_, partials_, sums_;
  DecodeArgs args_;
};

Layers::Layers(const GpuAttentionTest& test, const DecodeLayout& layout, const DecodeTuning& tuning,
               std::size_t layers)
    : layers_(layers) {
  const std::size_t pages = (test.context + kPageTokens - 1) / kPageTokens;
  layer_pages_ = pages * test.batch;
  std::vector<std::uint32_t> table(layer_pages_);
  std::iota(table.begin(), table.end(), 0U);
  Rng rng("gpu attention bench");
  rng.shuffle(table);
  std::vector<DecodeSequence> sequences;
  for (std::size_t i = 0; i < test.batch; ++i) {
    sequences.push_back({static_cast<std::uint32_t>(i * pages), 0, static_cast<std::uint32_t>(test.context)});
  }
  plan_ = decode_plan(layout, sequences, tuning);
  pages_ = GpuArray<std::byte>(std::max(layers * layer_pages_, kRandomPages) * layout.page_bytes());
  table_ = GpuArray<std::uint32_t>(std::span<const std::uint32_t>(table));
  segments_ = GpuArray<DecodeSegment>(std::span<const DecodeSegment>(plan_.segments));
  q_ = GpuArray<float>(random_values(test.batch * layout.n_q * layout.d_k, rng));
  out_ = GpuArray<float>(test.batch * layout.n_q * layout.d_v);
  partials_ = GpuArray<float>(std::size_t{plan_.partials} * layout.most_q * layout.v_tiles * 16);
  sums_ = GpuArray<float>(std::size_t{plan_.partials} * layout.most_q * 2);
  tickets_ = GpuArray<std::uint32_t>(plan_.items);
  tickets_.fill(0);
  args_ = {layout,      tuning,  q_.data(),        pages_.data(), table_.data(),  segments_.data(),
           out_.data(), nullptr, partials_.data(), sums_.data(),  tickets_.data()};
  fill(layout);
}

// Random pages, copied and copied again.
void Layers::fill(const DecodeLayout& layout) {
  Rng rng("gpu attention bench/pages");
  const std::size_t page = layout.page_bytes();
  std::vector<std::byte> random(kRandomPages * page);
  for (std::size_t token = 0; token < kRandomPages * kPageTokens; ++token) {
    store_decode_kv(layout, &random[token / kPageTokens * page], token % kPageTokens,
                    random_values(layout.n_k * layout.d_k, rng), random_values(layout.n_v * layout.d_v, rng));
  }
  check_cuda(cudaMemcpy(pages_.data(), random.data(), random.size(), cudaMemcpyHostToDevice),
             "copy to the GPU");
  for (std::size_t done = random.size(); done < pages_.size();) {
    const std::size_t more = std::min(done, pages_.size() - done);
    check_cuda(cudaMemcpy(pages_.data() + done, pages_.data(), more, cudaMemcpyDeviceToDevice), "copy");
    done += more;
  }
  check_cuda(cudaDeviceSynchronize(), "copy");
}

void Layers::launch(const Stream& stream, bool overlap) const {
  DecodeArgs args = args_;
  args.tuning.overlap = overlap;
  for (std::size_t layer = 0; layer < layers_; ++layer) {
    args.pages = args_.pages + layer * layer_pages_ * args.layout.page_bytes();
    launch_decode(args, plan_.blocks, stream.get());
  }
}

void Layers::launch_timed(const Stream& stream, bool overlap, GpuStamp* stamps) const {
  DecodeArgs args = args_;
  args.tuning.overlap = overlap;
  for (std::size_t layer = 0; layer < layers_; ++layer) {
    args.pages = args_.pages + layer * layer_pages_ * args.layout.page_bytes();
    check_cuda(static_cast<cudaError_t>(launch_timed_decode(args, plan_.blocks, stamps, stream.get())),
               "start of timed decode attention");
    stamps += plan_.blocks * warps() * kDecodePhases;
  }
}

// So many that no cache holds them and that what starts a graph does not count, but within reason.
std::size_t layers_of(std::size_t layer_bytes) {
  const std::size_t uncached = std::max((kUncachedBytes + layer_bytes - 1) / layer_bytes, kFewLayers);
  return std::max<std::size_t>(2, std::min(uncached, kMostBytes / layer_bytes));
}

}  // namespace

struct GpuBench::Device {
  GpuFigures figures = gpu_figures(usable_gpus().front().index);
  Stream stream;
};

GpuBench::GpuBench() : device_(std::make_unique<Device>()) {}
GpuBench::~GpuBench() = default;

std::string GpuBench::name() const {
  cudaDeviceProp properties{};
  check_cuda(cudaGetDeviceProperties(&properties, 0), "properties");
  return properties.name;
}

std::uint32_t GpuBench::multiprocessors() const { return device_->figures.multiprocessors; }

DecodeTuning GpuBench::tuning(const DecodeLayout& layout) const {
  const GpuFigures& figures = device_->figures;
  return decode_tuning(layout, figures.multiprocessors, figures.shared_bytes, figures.bulk);
}

GpuMemoryRates GpuBench::memory(int repeats) {
  GpuArray<std::byte> from(kReadBytes), to(kReadBytes);
  from.fill(0x5a);
  GpuArray<std::uint32_t> sums(1);
  const std::uint32_t blocks = multiprocessors() * 8;
  GpuMemoryRates rates;
  for (const double seconds : times_of(device_->stream, repeats, [&] {
         const int error =
             launch_read_kernel(from.data(), kReadBytes, sums.data(), blocks, device_->stream.get());
         check_cuda(static_cast<cudaError_t>(error), "start of the plain read");
       })) {
    rates.read.push_back(kReadBytes / seconds);
  }
  for (const double seconds : times_of(device_->stream, repeats, [&] {
         check_cuda(cudaMemcpyAsync(to.data(), from.data(), kReadBytes, cudaMemcpyDeviceToDevice,
                                    device_->stream.get()),
                    "copy");
       })) {
    rates.copy.push_back(2 * kReadBytes / seconds);
  }
  return rates;
}

GpuPhases GpuBench::phases(const GpuAttentionTest& test, bool overlap) {
  const DecodeLayout layout(test.shape, test.dtype);
  const DecodeTuning chosen = test.tuning ? *test.tuning : tuning(layout);
  if (!layout.bf16 || layout.k_tiles != 4 || layout.v_tiles != 4 || !chosen.bulk) {
    fail(ErrorCode::kUnsupported,
         "phases are timed for bf16, heads of 64 dims and bulk copies (sm_90) alone");
  }
  GpuPhases phases;
  phases.layers = test.layers > 0 ? test.layers : kFewLayers;
  const Layers work(test, layout, chosen, phases.layers);
  phases.blocks = work.plan().blocks;
  phases.warps = work.warps();
  GpuArray<GpuStamp> stamps(phases.layers * phases.blocks * phases.warps * kDecodePhases);
  const Stream& stream = device_->stream;
  const Graph graph(stream, [&] { work.launch_timed(stream, overlap, stamps.data()); });
  for (int repeat = 0; repeat < 3; ++repeat) {
    stamps.fill(0);
    check_cuda(cudaDeviceSynchronize(), "stamps");
    graph.start(stream);
    check_cuda(cudaDeviceSynchronize(), "timed decode attention");
  }
  phases.stamps = stamps.values();
  return phases;
}

GpuAttentionTimes GpuBench::attention(const GpuAttentionTest& test, int repeats) {
  if (test.context < 1 || test.batch < 1 || test.context > (std::size_t{1} << 24) / test.batch) {
    fail(ErrorCode::kUsage, "{} sequences of {} tokens; use at least 1, at most 16M tokens", test.batch,
         test.context);
  }
  const DecodeLayout layout(test.shape, test.dtype);
  const std::size_t bytes = (test.context + kPageTokens - 1) / kPageTokens * test.batch * layout.page_bytes();
  const std::size_t layers = test.layers > 0 ? test.layers : layers_of(bytes);
  GpuAttentionTimes times{layers, test.tuning ? *test.tuning : tuning(layout), {}, {}, {}};
  const Layers work(test, layout, times.tuning, layers);
  const Stream& stream = device_->stream;
  times.stream = times_of(stream, repeats, [&] { work.launch(stream, false); });
  const Graph graph(stream, [&] { work.launch(stream, false); });
  times.graph = times_of(stream, repeats, [&] { graph.start(stream); });
  if (device_->figures.bulk) {
    const Graph overlapped(stream, [&] { work.launch(stream, true); });
    times.overlapped = times_of(stream, repeats, [&] { overlapped.start(stream); });
  }
  return times;
}

}  // namespace micius
