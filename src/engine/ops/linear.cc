#include "engine/ops/linear.h"

#include <algorithm>
#include <cassert>

#include "base/error.h"
#include "engine/ops/linear_internal.h"
#include "engine/ops/linear_pack.h"

namespace micius {
namespace {

constexpr std::size_t kRowBlock = 256;  // rows of a task: their activations should fit the L2 cache
constexpr std::size_t kFewRows = 4;     // that every kernel takes without unpacking a panel for them
constexpr std::size_t kRuns = 4;        // tasks a thread where there are few rows
constexpr std::size_t kReadGrain = 8;   // rows worth a thread

LinearKernels linear_kernels(Isa isa, Numerics numerics) {
#if defined(__x86_64__)
  if (isa == Isa::kAmx) return linear_amx(numerics);
  if (isa == Isa::kAvx512) return linear_avx512(numerics);
  if (isa == Isa::kAvx2) return linear_avx2(numerics);
#endif
  assert(isa == Isa::kPlain);
  return linear_plain(numerics);
}

std::size_t round_up(std::size_t n, std::size_t unit) { return (n + unit - 1) / unit * unit; }

}  // namespace

struct Linear::Impl {
  struct Group {
    std::size_t part, tile_begin, tile_end;
  };
  LinearKernels kernels;
  std::vector<PackedPart> parts;
  std::vector<Group> groups;
  std::size_t cols = 0, outputs = 0;
  bool any_codes = false;
  FetchAhead ahead = fetch_ahead();

  std::size_t tile_bytes() const {
    return any_codes ? ActivationBlock{kernels.row_tile}.bytes() * (cols / kBlockCols) : 0;
  }
  void quantize(const float* x, std::size_t rows, std::byte* activations, ThreadPool& pool) const;
};

Linear::Linear(std::span<const LinearPart> parts, Numerics numerics, Arena& memory, const OpContext& context)
    : impl_(std::make_unique<Impl>()) {
  impl_->kernels = linear_kernels(context.isa, numerics);
  for (const LinearPart& part : parts) {
    if (part.weights.cols != parts.front().weights.cols) {
      fail(ErrorCode::kInvalidData, "stacked matrices have {} and {} columns", parts.front().weights.cols,
           part.weights.cols);
    }
    impl_->parts.push_back(pack_linear(part, numerics, impl_->outputs, memory, context.pool));
    const PackedPart& packed = impl_->parts.back();
    impl_->outputs += packed.outputs;
    impl_->cols = packed.cols;
    impl_->any_codes = impl_->any_codes || has_codes(packed.format);
    for (std::size_t tile = 0; tile < packed.tiles(); tile += impl_->kernels.group_tiles) {
      const std::size_t end = std::min(tile + impl_->kernels.group_tiles, packed.tiles());
      impl_->groups.push_back({impl_->parts.size() - 1, tile, end});
    }
  }
}

Linear::~Linear() = default;
Linear::Linear(Linear&&) noexcept = default;
Linear& Linear::operator=(Linear&&) noexcept = default;

std::size_t Linear::inputs() const { return impl_->cols; }
std::size_t Linear::outputs() const { return impl_->outputs; }

std::size_t Linear::bytes() const {
  std::size_t bytes = 0;
  for (const PackedPart& part : impl_->parts) bytes += part.bytes();
  return bytes;
}

void Linear::Impl::quantize(const float* x, std::size_t rows, std::byte* activations,
                            ThreadPool& pool) const {
  const std::size_t tile = kernels.row_tile;
  pool.parallel_for((rows + tile - 1) / tile, 8192 / (tile * cols) + 1,
                    [&](std::size_t begin, std::size_t end) {
                      for (std::size_t t = begin; t < end; ++t) {
                        kernels.quantize(x + t * tile * cols, std::min(tile, rows - t * tile), cols,
                                         activations + t * tile_bytes());
                      }
                    });
}

void Linear::apply(std::span<const float> x, std::span<float> y, const OpContext& context) const {
  const Impl& impl = *impl_;
  if (x.empty()) return;
  assert(x.size() % impl.cols == 0 && y.size() / impl.outputs == x.size() / impl.cols);
  const std::size_t rows = x.size() / impl.cols, row_tile = impl.kernels.row_tile;
  const std::size_t activation_bytes = round_up((rows + row_tile - 1) / row_tile * impl.tile_bytes(), 64);
  const std::size_t panel_bytes = round_up(impl.kernels.panel_bytes(impl.cols), 64);
  std::byte* activations = context.scratch.get(activation_bytes + panel_bytes * context.pool.threads());
  if (impl.any_codes) impl.quantize(x.data(), rows, activations, context.pool);

  const std::size_t row_block = kRowBlock / row_tile * row_tile,
                    row_blocks = (rows + row_block - 1) / row_block;
  // Few rows: a thread reads a long run of the weights, which is fetched ahead.
  const std::size_t groups = impl.groups.size();
  const std::size_t runs =
      rows <= kFewRows ? std::min<std::size_t>(groups, kRuns * context.pool.threads()) : groups;
  context.pool.run(row_blocks * runs, [&](std::size_t i, int thread) {
    const std::size_t first = i / runs * row_block, run = i % runs;
    for (std::size_t g = groups * run / runs; g < groups * (run + 1) / runs; ++g) {
      const Impl::Group& group = impl.groups[g];
      const PackedPart& part = impl.parts[group.part];
      impl.kernels.multiply({part, group.tile_begin, group.tile_end, first, std::min(first + row_block, rows),
                             x.data(), activations, y.data() + part.first_output, impl.outputs, impl.ahead,
                             activations + activation_bytes + panel_bytes * thread});
    }
  });
}

void Linear::read_rows(std::span<const std::int32_t> rows, std::span<float> out,
                       const OpContext& context) const {
  const Impl& impl = *impl_;
  assert(out.size() == rows.size() * impl.cols);
  context.pool.parallel_for(rows.size(), kReadGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      const auto row = static_cast<std::size_t>(rows[i]);
      assert(rows[i] >= 0 && row < impl.outputs);
      const auto part = std::find_if(impl.parts.begin(), impl.parts.end(),
                                     [&](const PackedPart& p) { return row < p.first_output + p.outputs; });
      unpack_row(*part, row - part->first_output, out.subspan(i * impl.cols, impl.cols));
    }
  });
}

std::vector<std::uint32_t> half_split_order(std::size_t heads, std::size_t head_dim) {
  std::vector<std::uint32_t> order(heads * head_dim);
  for (std::size_t i = 0; i < order.size(); ++i) {
    const std::size_t head = i / head_dim, j = i % head_dim, half = head_dim / 2;
    order[i] = static_cast<std::uint32_t>(head * head_dim + 2 * (j % half) + j / half);
  }
  return order;
}

}  // namespace micius
