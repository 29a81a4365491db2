#include "engine/model/gpu_decoder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"

namespace micius {
namespace {

std::uint32_t count(std::size_t n) { return static_cast<std::uint32_t>(n); }

std::uint32_t planes_of(Numerics numerics) {
  if (numerics == Numerics::kFp32) {
    fail(ErrorCode::kUnsupported, "--numerics fp32 is the CPU's; use --device cpu, or precise or fast");
  }
  return numerics == Numerics::kPrecise ? 2 : 1;
}

const float* data_or_null(const DeviceArray<float>& values) {
  return values.empty() ? nullptr : values.data();
}

// A pool's one piece of memory.
class GpuKvMemory : public KvMemory {
 public:
  GpuKvMemory(Device& device, std::byte*& pages) : device_(device), pages_(pages) {}

  std::byte* add(std::size_t bytes) override {
    memory_ = DeviceArray<std::byte>(device_, bytes);
    pages_ = memory_.data();
    const std::vector<std::byte> zeros(std::min<std::size_t>(bytes, 32 << 20));
    for (std::size_t done = 0; done < bytes; done += zeros.size()) {
      device_.copy(pages_ + done, zeros.data(), std::min(zeros.size(), bytes - done));
    }
    return pages_;
  }
  // Kernels ask for finite values where no token was written: what another sequence had there is as good as
  // zeros.
  void zero(std::byte* /*to*/, std::size_t /*bytes*/) override {}
  void copy(std::byte* to, const std::byte* from, std::size_t bytes) override {
    device_.copy(to, from, bytes);
  }

 private:
  Device& device_;
  std::byte*& pages_;
  DeviceArray<std::byte> memory_;
};

}  // namespace

GpuDecoder::GpuDecoder(const ModelSource& source, const ModelConfig& config, Numerics numerics,
                       Device& device, ThreadPool& pool)
    : config_(config),
      device_(device),
      layout_(kv_layout(config)),
      planes_(planes_of(numerics)),
      batch_(device, config, layout_),
      weights_(read_gpu_weights(source, config, device, pool)),
      turns_{RopeTable(config.attention.d_k, config.rope_base, config.rope_factors), {}},
      local_turns_{RopeTable(config.attention.d_k, config.local_rope_base), {}},
      replay_(device) {}

std::unique_ptr<KvPool> GpuDecoder::make_kv_pool(std::size_t budget_bytes) {
  return std::make_unique<KvPool>(std::make_unique<GpuKvMemory>(device_, pages_), layout_.page_bytes(),
                                  config_.layers, budget_bytes);
}

void GpuDecoder::forward(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted) {
  batch_.begin(slices, wanted);
  cover(turns_);
  if (config_.window_period > 0) cover(local_turns_);
  rows_ = batch_.rows();
  make_room(rows_, wanted.size());
  add(EmbeddingKernel{weights_.embedding_rows(), batch_.ids(), x_, count(rows_), config_.embedding_scale});
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    const GpuLayer& layer = weights_.layers[i];
    attention(layer, i);
    if (i + 1 == weights_.layers.size()) {  // the rest of the last layer is for rows that are read
      if (wanted.empty()) break;
      keep_rows(wanted.size());
    }
    const BlockedRows attended = inputs_of(layer.attention_out, rows_);
    add(SplitKernel{heads_, attended});
    add_sublayer(layer.attention_out, attended, layer.post_attention_norm);
    feed_forward(layer);
  }
  run();
}

// All memory that the kernels of a batch need, so that none is freed which one of them was given.
void GpuDecoder::make_room(std::size_t rows, std::size_t wanted) {
  const AttentionShape& shape = config_.attention;
  const std::size_t heads = shape.n_q * shape.d_v, q = shape.n_q * std::max(config_.d_q, shape.d_k);
  all_x_.reserve(device_, rows * config_.hidden);
  all_heads_.reserve(device_, rows * heads);
  wanted_x_.reserve(device_, wanted * config_.hidden);
  wanted_heads_.reserve(device_, wanted * heads);
  qkv_.reserve(device_, rows * weights_.layers.front().qkv.weights().outputs);
  if (config_.augmented_q > 0) q_.reserve(device_, rows * q);
  turned_q_.reserve(device_, rows * shape.n_q * shape.d_k);
  wide_.reserve(device_, rows * 2 * std::max(config_.ffn, config_.augmented_q));
  y_.reserve(device_, rows * config_.hidden);
  const std::size_t widest = std::max({config_.hidden, heads, q, config_.ffn, config_.augmented_q});
  inputs_.resize(device_, count(rows), count(widest), planes_);
  x_ = all_x_.data();
  heads_ = all_heads_.data();
}

void GpuDecoder::run() { replay_.run(std::exchange(kernels_, {})); }

void GpuDecoder::cover(Turns& turns) {
  turns.table.cover(batch_.positions_end());
  if (turns.sent.size() < turns.table.turns().size()) turns.sent.assign(device_, turns.table.turns());
}

void GpuDecoder::attention(const GpuLayer& layer, std::size_t index) {
  const AttentionShape& shape = config_.attention;
  const Turns& turns = config_.has_local_rope(index) ? local_turns_ : turns_;
  const std::size_t q_width = shape.n_q * shape.d_k, stride = layer.qkv.weights().outputs;
  const BlockedRows in = normed(x_, layer.attention_norm, rows_, layer.qkv);
  apply(layer.qkv, in, qkv_, data_or_null(layer.qkv_bias));
  if (layer.augmented_q) augmented_q(layer, in);
  float* const k = qkv_.data() + (layer.augmented_q ? 0 : q_width);
  turn_heads(layer.augmented_q ? q_.data() : qkv_.data(), layer.augmented_q ? q_width : stride,
             turned_q_.data(), q_width, shape.n_q, layer.q_norm, turns);
  turn_heads(k, stride, k, stride, shape.n_k, layer.k_norm, turns);
  std::byte* const pages = pages_ + index * layout_.page_bytes();
  KvAppendArgs append;
  append.layout = layout_;
  append.k = k;
  append.v = k + shape.n_k * shape.d_k;
  append.k_stride = append.v_stride = count(stride);
  append.slots = batch_.slots();
  append.pages = pages;
  kernels_.emplace_back(AppendLaunch{append, count(rows_)});
  batch_.add_attention(config_.window_of(index), turned_q_.data(), pages, heads_, kernels_);
}

void GpuDecoder::augmented_q(const GpuLayer& layer, const BlockedRows& normed) {
  apply(*layer.q, normed, q_);
  const BlockedRows q = inputs_of(layer.augmented_q->gate_up, rows_);
  add(SplitKernel{q_.data(), q});
  apply(layer.augmented_q->gate_up, q, wide_);
  const BlockedRows inner = inputs_of(layer.augmented_q->down, rows_);
  add(GatedKernel{wide_.data(), inner, Gate::kSilu});
  apply(layer.augmented_q->down, inner, q_);
}

void GpuDecoder::turn_heads(const float* x, std::size_t stride, float* out, std::size_t out_stride,
                            std::size_t heads, const DeviceArray<float>& norm, const Turns& turns) {
  add(HeadsKernel{.x = x,
                  .out = out,
                  .weight = data_or_null(norm),
                  .table = turns.sent.data(),
                  .positions = batch_.positions(),
                  .rows = count(rows_),
                  .heads = count(heads),
                  .dim = count(config_.attention.d_k),
                  .stride = count(stride),
                  .out_stride = count(out_stride),
                  .epsilon = config_.norm_epsilon});
}

// Leaves only the wanted rows of what the last layer still reads.
void GpuDecoder::keep_rows(std::size_t wanted) {
  const auto keep = [&](float*& rows, const DeviceArray<float>& kept, std::size_t width) {
    add(GatherKernel{rows, batch_.wanted(), kept.data(), count(wanted), count(width)});
    rows = kept.data();
  };
  keep(x_, wanted_x_, config_.hidden);
  keep(heads_, wanted_heads_, config_.attention.n_q * config_.attention.d_v);
  rows_ = wanted;
}

void GpuDecoder::feed_forward(const GpuLayer& layer) {
  apply(layer.gate_up, normed(x_, layer.ffn_norm, rows_, layer.gate_up), wide_);
  const BlockedRows inner = inputs_of(layer.down, rows_);
  add(GatedKernel{wide_.data(), inner,
                  config_.activation == Activation::kSilu ? Gate::kSilu : Gate::kGeluTanh});
  add_sublayer(layer.down, inner, layer.post_ffn_norm);
}

BlockedRows GpuDecoder::normed(const float* x, const DeviceArray<float>& weight, std::size_t rows,
                               const GpuMatrix& reader) {
  const BlockedRows out = inputs_of(reader, rows);
  add(NormKernel{.x = x,
                 .weight = weight.data(),
                 .out = out,
                 .rows = count(rows),
                 .width = count(config_.hidden),
                 .epsilon = config_.norm_epsilon});
  return out;
}

void GpuDecoder::add_sublayer(const GpuMatrix& matrix, const BlockedRows& x, const DeviceArray<float>& norm) {
  if (norm.empty()) {
    multiply({.weights = matrix.weights(), .x = x, .result = LinearResult::kAdd, .y = x_});
    return;
  }
  apply(matrix, x, y_);
  add(NormKernel{.x = y_.data(),
                 .weight = norm.data(),
                 .residual = x_,
                 .rows = count(rows_),
                 .width = count(config_.hidden),
                 .epsilon = config_.norm_epsilon});
}

void GpuDecoder::apply(const GpuMatrix& matrix, const BlockedRows& x, const DeviceArray<float>& y,
                       const float* bias) {
  multiply({.weights = matrix.weights(), .x = x, .bias = bias, .y = y.data()});
}

BlockedRows GpuDecoder::inputs_of(const GpuMatrix& reader, std::size_t rows) {
  BlockedRows inputs = inputs_.resize(device_, count(rows), reader.weights().inputs, planes_);
  inputs.order = run_order(reader.weights(), inputs.rows);
  return inputs;
}

void GpuDecoder::score(std::size_t first, std::span<const LogitPick> picks, std::span<LogitSummary> summaries,
                       std::span<float> picked) {
  std::vector<std::uint32_t> first_pick(summaries.size() + 1);
  std::vector<std::int32_t> ids;
  for (const LogitPick& pick : picks) {
    ids.push_back(pick.id);
    ++first_pick[pick.row + 1];
  }
  for (std::size_t row = 0; row < summaries.size(); ++row) first_pick[row + 1] += first_pick[row];
  pick_first_.assign(device_, first_pick);
  pick_ids_.assign(device_, ids);
  picked_.reserve(device_, picks.size());
  const std::vector<LogitPartial> read = summarise(first, summaries.size(), pick_first_.data());
  picked_.get(picked);
  std::transform(read.begin(), read.end(), summaries.begin(), [](const LogitPartial& p) {
    return LogitSummary{p.max, p.argmax, p.max + std::log(double{p.sum})};
  });
}

void GpuDecoder::greedy(std::size_t first, std::span<std::optional<TokenId>> tokens) {
  const std::vector<LogitPartial> read = summarise(first, tokens.size(), nullptr);
  std::transform(read.begin(), read.end(), tokens.begin(), [](const LogitPartial& p) {
    const bool is_finite = std::isfinite(p.max) && std::isfinite(p.sum);  // one NaN spoils the sum
    return is_finite ? std::optional(TokenId{p.argmax}) : std::nullopt;
  });
}

// pick_first: of the picks in pick_ids_; null: none.
std::vector<LogitPartial> GpuDecoder::summarise(std::size_t first, std::size_t rows,
                                                const std::uint32_t* pick_first) {
  const TiledWeights& head = weights_.head.weights();
  partials_.reserve(device_, head.row_tiles() * rows);
  summaries_.reserve(device_, rows);
  add(LinearArgs{.weights = head,
                 .x = normed(x_ + first * config_.hidden, weights_.final_norm, rows, weights_.head),
                 .result = LinearResult::kSummaries,
                 .partials = partials_.data(),
                 .pick_first = pick_first,
                 .pick_ids = pick_ids_.data(),
                 .picked = picked_.data()});
  add(LogitSummaryKernel{partials_.data(), summaries_.data(), head.row_tiles(), count(rows)});
  run();
  std::vector<LogitPartial> read(rows);
  summaries_.get(read);
  return read;
}

std::span<const float> GpuDecoder::logits(std::size_t first, std::size_t rows) {
  logits_.reserve(device_, rows * config_.vocabulary);
  apply(weights_.head, normed(x_ + first * config_.hidden, weights_.final_norm, rows, weights_.head),
        logits_);
  run();
  host_logits_.resize(rows * config_.vocabulary);
  logits_.get(host_logits_);
  return host_logits_;
}

}  // namespace micius
