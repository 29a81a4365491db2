#include "engine/gpu_step_speed.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/error.h"
#include "engine/kv_cache.h"
#include "engine/ops/linear_gpu.h"
#include "engine/speed_internal.h"

namespace micius {
namespace {

constexpr std::uint32_t kPlanes = 2;  // --numerics precise
constexpr std::size_t kUncachedBytes = 256 << 20, kMostBytes = std::size_t{8} << 30;
constexpr std::size_t kModelLayers = 26, kMostLayers = 256;
constexpr std::size_t kMostTokens = std::size_t{1} << 24;
constexpr std::uint32_t kReadBlocks = 8;  // of a multiprocessor
constexpr std::size_t kRandomPages = 8;   // what all pages are copies of

std::uint32_t count(std::size_t n) { return static_cast<std::uint32_t>(n); }

template <typename T>
DeviceArray<T> sent(Device& device, const std::vector<T>& values) {
  return DeviceArray<T>(device, std::span<const T>(values));
}

// Behind one start that is not timed: while it runs, the next is already there to follow.
double seconds_of(Device& device, Recording& recording) {
  recording.start();
  return device.seconds_of([&] { recording.start(); });
}

// Of a test that is run with them.
struct Steps {
  std::size_t layers = 0;
  GpuStep step = GpuStep::kWhole;
  std::optional<DecodeTuning> tuning;
};

// One head setting: the layers' keys and values, and the kernels of a step. Pages lie in regions: one a
// layer, and under KvMode::kConcat one more, so that each layer can be copied to where the one before it was.
class Setting {
 public:
  Setting(Device& device, const AttentionShape& shape, const AttentionTest& test, const Steps& steps);
  void step(AttentionTimes& times) const;

 private:
  void fill(std::size_t regions, Rng& rng);
  DecodeLaunch decode_launch(const AttentionTest& test, const DecodeTuning& tuning, Rng& rng);
  KvAppendArgs append_args(const AttentionShape& shape, const AttentionTest& test, Rng& rng);
  std::vector<Kernel> copies(std::size_t layers);
  std::byte* region(std::size_t index) const { return pages_.data() + index * region_bytes(); }
  std::size_t region_bytes() const { return region_pages_ * layout_.page_bytes(); }

  Device& device_;
  DecodeLayout layout_;
  std::size_t region_pages_;
  std::vector<std::uint32_t> order_;  // of a region's pages
  DeviceArray<std::byte> pages_;
  DeviceArray<std::uint32_t> table_, slots_, tickets_;
  DeviceArray<KvPageCopy> page_copies_;  // [layers][region_pages_]
  DeviceArray<DecodeSegment> segments_;
  DeviceArray<float> q_, k_, v_, out_, partials_, sums_;
  std::unique_ptr<Recording> step_, copying_;  // the second: null where nothing is copied
};

Setting::Setting(Device& device, const AttentionShape& shape, const AttentionTest& test, const Steps& steps)
    : device_(device),
      layout_(shape, DType::kF16),
      region_pages_(KvPool::blocks_for(test.context + 1) * test.batch),
      order_(region_pages_) {
  const bool is_concat = test.mode == KvMode::kConcat;
  const std::size_t layers = steps.layers;
  const GpuFigures& figures = device.figures();
  Rng rng("gpu attention");
  fill(layers + (is_concat ? 1 : 0), rng);
  std::iota(order_.begin(), order_.end(), 0U);
  rng.shuffle(order_);
  table_ = sent(device, order_);
  DecodeLaunch decode =
      decode_launch(test,
                    steps.tuning.value_or(
                        decode_tuning(layout_, figures.multiprocessors, figures.shared_bytes, figures.bulk)),
                    rng);
  KvAppendArgs append = append_args(shape, test, rng);
  const std::vector<Kernel> copying = is_concat ? copies(layers) : std::vector<Kernel>();
  std::vector<Kernel> kernels;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    if (is_concat) kernels.push_back(copying[layer]);
    decode.args.pages = append.pages = region(layer);  // copied from the region behind it
    if (steps.step == GpuStep::kWhole) kernels.emplace_back(AppendLaunch{append, count(test.batch)});
    kernels.emplace_back(decode);
  }
  step_ = device.record(kernels);
  if (is_concat) copying_ = device.record(copying);
}

// Random pages, copied and copied again.
void Setting::fill(std::size_t regions, Rng& rng) {
  const std::size_t page = layout_.page_bytes();
  pages_ = DeviceArray<std::byte>(device_, regions * region_bytes());
  std::vector<std::byte> random(std::min(kRandomPages, regions * region_pages_) * page);
  for (std::size_t token = 0; token < random.size() / page * kPageTokens; ++token) {
    store_decode_kv(layout_, &random[token / kPageTokens * page], token % kPageTokens,
                    random_values(layout_.n_k * layout_.d_k, rng),
                    random_values(layout_.n_v * layout_.d_v, rng));
  }
  device_.copy(pages_.data(), random.data(), random.size());
  for (std::size_t done = random.size(); done < pages_.size();) {
    const std::size_t more = std::min(done, pages_.size() - done);
    device_.copy(pages_.data() + done, pages_.data(), more);
    done += more;
  }
}

DecodeLaunch Setting::decode_launch(const AttentionTest& test, const DecodeTuning& tuning, Rng& rng) {
  std::vector<DecodeSequence> sequences;
  for (std::size_t i = 0; i < test.batch; ++i) {
    sequences.push_back({count(i * region_pages_ / test.batch), 0, count(test.context + 1)});
  }
  const DecodePlan plan = decode_plan(layout_, sequences, tuning);
  const std::size_t partial_rows = std::size_t{plan.partials} * layout_.most_q;
  segments_ = sent(device_, plan.segments);
  tickets_ = sent(device_, std::vector<std::uint32_t>(plan.items));
  partials_ = DeviceArray<float>(device_, partial_rows * layout_.v_tiles * 16);
  sums_ = DeviceArray<float>(device_, 2 * partial_rows);
  q_ = sent(device_, random_values(test.batch * layout_.n_q * layout_.d_k, rng));
  out_ = DeviceArray<float>(device_, test.batch * layout_.n_q * layout_.d_v);
  return {{.layout = layout_,
           .tuning = tuning,
           .q = q_.data(),
           .table = table_.data(),
           .segments = segments_.data(),
           .out = out_.data(),
           .partials = partials_.data(),
           .sums = sums_.data(),
           .tickets = tickets_.data()},
          plan.blocks};
}

// Of the token behind the context of each sequence.
KvAppendArgs Setting::append_args(const AttentionShape& shape, const AttentionTest& test, Rng& rng) {
  std::vector<std::uint32_t> slots;
  for (std::size_t i = 0; i < test.batch; ++i) {
    const std::size_t page = i * region_pages_ / test.batch + test.context / kPageTokens;
    slots.push_back(count(kPageTokens * order_[page] + test.context % kPageTokens));
  }
  slots_ = sent(device_, slots);
  k_ = sent(device_, random_values(test.batch * shape.n_k * shape.d_k, rng));
  v_ = sent(device_, random_values(test.batch * shape.n_v * shape.d_v, rng));
  return {.layout = layout_,
          .k = k_.data(),
          .v = v_.data(),
          .k_stride = count(shape.n_k * shape.d_k),
          .v_stride = count(shape.n_v * shape.d_v),
          .slots = slots_.data()};
}

// Of each layer: from the region behind its own.
std::vector<Kernel> Setting::copies(std::size_t layers) {
  std::vector<KvPageCopy> pages;
  for (std::size_t to = 0; to < layers * region_pages_; ++to) {
    pages.push_back({count(to + region_pages_), count(to)});
  }
  page_copies_ = sent(device_, pages);
  std::vector<Kernel> kernels;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const KvPageCopy* const first = page_copies_.data() + layer * region_pages_;
    kernels.emplace_back(CopyLaunch{{layout_, first, pages_.data()}, count(region_pages_)});
  }
  return kernels;
}

void Setting::step(AttentionTimes& times) const {
  const double whole = seconds_of(device_, *step_);
  const double copying = copying_ ? seconds_of(device_, *copying_) : 0;
  times.copy.push_back(copying);
  times.attention.push_back(std::max(whole - copying, 0.0));
}

std::size_t layers_of(const AttentionTest& test, const std::vector<AttentionShape>& settings) {
  if (test.layers > 0) return test.layers;
  std::size_t fewest = kMostBytes, most = 0;
  for (const AttentionShape& shape : settings) {
    fewest = std::min(fewest, kv_bytes(shape, test));
    most = std::max(most, kv_bytes(shape, test));
  }
  const std::size_t uncached = std::max((kUncachedBytes + fewest - 1) / fewest, kModelLayers);
  return std::clamp<std::size_t>(kMostBytes / most, 2, std::min(uncached, kMostLayers));
}

void check(const AttentionTest& test) {
  if (test.selection.top > 0) fail(ErrorCode::kUnsupported, "selective V is timed on the CPU alone");
  if (test.batch < 1 || test.context >= kMostTokens / std::max<std::size_t>(test.batch, 1) ||
      test.layers > kMostLayers) {
    fail(ErrorCode::kUsage,
         "{} sequences of {} tokens in {} layers; use at least 1, at most {} tokens in {} layers", test.batch,
         test.context, test.layers, kMostTokens, kMostLayers);
  }
}

}  // namespace

GpuLinearBench::GpuLinearBench(Device& device, const std::vector<MatrixSize>& sizes, DType dtype,
                               std::size_t least_bytes)
    : device_(device) {
  std::size_t widest = 0, tallest = 0;
  for (const MatrixSize& size : sizes) {
    widest = std::max(widest, size.cols);
    tallest = std::max(tallest, size.rows);
  }
  Rng rng("gpu linear bench");
  x_ = sent(device, random_values(widest, rng));
  y_ = DeviceArray<float>(device, tallest);
  rows_.resize(device, 1, count(widest), kPlanes);
  for (const MatrixSize& size : sizes) add(size, dtype, least_bytes);
}

void GpuLinearBench::add(const MatrixSize& size, DType dtype, std::size_t least_bytes) {
  const std::vector<std::byte> bytes = random_matrix(size, dtype);
  const LinearPart part{{dtype, size.rows, size.cols, bytes.data()}, {}};
  const TileFormat format = tile_format({&part, 1});
  ThreadPool pool(thread_count(0));
  const std::vector<std::uint32_t> tiles = pack_tiles({&part, 1}, format, pool);
  const std::size_t copies = std::max<std::size_t>(2, (least_bytes - 1) / (4 * tiles.size()) + 1);
  Matrix matrix{size, {}, nullptr};
  std::vector<Kernel> products;
  for (std::size_t i = 0; i < copies; ++i) {
    matrix.copies.emplace_back(device_, tiles.size());
    DeviceArray<std::uint32_t>& copy = matrix.copies.back();
    if (i == 0) {
      copy.put(tiles);
    } else {
      device_.copy(copy.data(), matrix.copies[0].data(), 4 * tiles.size());
    }
    const TiledWeights weights{copy.data(), format, count(size.rows), count(size.cols)};
    products.emplace_back(LinearArgs{.weights = weights, .x = input(size), .y = y_.data()});
  }
  matrix.products = device_.record(products);
  matrices_.push_back(std::move(matrix));
}

BlockedRows GpuLinearBench::input(const MatrixSize& size) {
  return rows_.resize(device_, 1, count(size.cols), kPlanes);
}

std::vector<std::vector<double>> GpuLinearBench::run(int repeats) {
  std::vector<std::vector<double>> seconds(matrices_.size());
  for (int repeat = -1; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < matrices_.size(); ++i) {
      const Matrix& matrix = matrices_[i];
      device_.launch(SplitKernel{x_.data(), input(matrix.size)});
      const double all = seconds_of(device_, *matrix.products);
      if (repeat >= 0) seconds[i].push_back(all / static_cast<double>(matrix.copies.size()));
    }
  }
  return seconds;
}

GpuAttentionBench::GpuAttentionBench(Device& device, std::vector<AttentionShape> settings,
                                     std::size_t read_bytes)
    : device_(device),
      settings_(std::move(settings)),
      read_(device, read_bytes / sizeof(std::uint32_t)),
      sum_(device, 1) {
  const Kernel read = RowKernel(MemoryReadKernel{read_.data(), read_.size() / 4, sum_.data(),
                                                 kReadBlocks * device.figures().multiprocessors});
  reading_ = device.record({&read, 1});
}

AttentionResult GpuAttentionBench::run(const AttentionTest& test, int repeats, GpuStep step,
                                       const std::optional<DecodeTuning>& tuning) {
  check(test);
  const Steps steps{layers_of(test, settings_), step, tuning};
  AttentionResult result{steps.layers, std::vector<AttentionTimes>(settings_.size()), {}, {}};
  std::vector<Setting> measured;
  measured.reserve(settings_.size());
  for (const AttentionShape& shape : settings_) {
    measured.emplace_back(device_, shape, test, steps);
    AttentionTimes warm_up;
    measured.back().step(warm_up);
  }
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < settings_.size(); ++i) measured[i].step(result.settings[i]);
    result.read.push_back(seconds_of(device_, *reading_));
  }
  return result;
}

}  // namespace micius
