#include "engine/model/gpu_bert.h"

#include <algorithm>
#include <cassert>
#include <numeric>

#include "base/error.h"
#include "base/format.h"
#include "engine/model/bert_reader_internal.h"
#include "engine/model/gpu_packer_internal.h"
#include "engine/quant.h"

namespace micius {
namespace {

constexpr std::uint32_t kPlanes = 2;  // of the inputs of linears
constexpr PrefillTuning kTuning{};

std::uint32_t count(std::size_t n) { return static_cast<std::uint32_t>(n); }

std::size_t pages_for(std::size_t tokens) { return (tokens + kPageTokens - 1) / kPageTokens; }

void check_memory(const Safetensors& file, const BertConfig& config, std::size_t most_tokens,
                  const Device& device) {
  const GpuBertNeeds needs = gpu_bert_needs(config, most_tokens);
  const std::size_t free = device.free_bytes();
  if (needs.weights + needs.batch <= free) return;
  fail(ErrorCode::kIo,
       "{}: about {} of the GPU's memory for weights and {} for a batch of {} tokens; of {} there are {} "
       "free; use {}--device cpu",
       file.name(), format_bytes(needs.weights), format_bytes(needs.batch), most_tokens,
       device.figures().name, format_bytes(free), needs.weights < free ? "a smaller --batch-tokens or " : "");
}

DeviceArray<float> widened(const MatrixView& matrix, Device& device) {
  std::vector<float> values(matrix.rows * matrix.cols);
  dequantize(matrix.dtype, matrix.data, values);
  return {device, values};
}

DeviceArray<std::uint32_t> numbers_below(std::size_t end, Device& device) {
  std::vector<std::uint32_t> numbers(end);
  std::iota(numbers.begin(), numbers.end(), 0U);
  return {device, numbers};
}

// Slots that no token was written to are read, and must be finite.
DeviceArray<std::byte> zeros(std::size_t bytes, Device& device) {
  return {device, std::vector<std::byte>(bytes)};
}

}  // namespace

GpuBertNeeds gpu_bert_needs(const BertConfig& config, std::size_t most_tokens) {
  const std::size_t hidden = config.hidden, ffn = config.ffn;
  const auto matrix = [](std::size_t outputs, std::size_t inputs) {
    const TiledWeights tiles{nullptr, TileFormat::kBF16, count(outputs), count(inputs)};
    return 2 * sizeof(std::uint32_t) * tiles.row_tiles() * tiles.column_tiles() * tile_words(tiles.format);
  };
  const std::size_t layer = matrix(3 * hidden, hidden) + matrix(hidden, hidden) + matrix(ffn, hidden) +
                            matrix(hidden, ffn) + sizeof(float) * (9 * hidden + ffn);
  const std::size_t tables = sizeof(float) * (config.vocabulary + config.positions + 2) * hidden;
  const std::size_t run = kPlanes * sizeof(std::uint32_t) * BlockedRows::kWords + sizeof(float);
  const std::size_t inputs = run * BlockedRows::blocks(count(std::max(hidden, ffn)));
  // Of a token's part of the plan a generous estimate: arrays have room to grow.
  const std::size_t row = sizeof(float) * (5 * hidden + ffn) + inputs + 128;
  return {.weights = config.layers * layer + tables,
          .batch = (most_tokens + 32) * row +
                   pages_for(most_tokens) * DecodeLayout(config.attention, DType::kF16).page_bytes()};
}

GpuBert::GpuBert(const Safetensors& file, const BertConfig& config, std::size_t most_tokens, Device& device,
                 ThreadPool& pool)
    : config_(config),
      device_(device),
      layout_(config.attention, DType::kF16),
      weights_(read(file, config, most_tokens, device, pool)),
      words_(widened(weights_.words, device)),
      numbers_(numbers_below(most_tokens, device)),
      pages_(zeros(pages_for(most_tokens) * layout_.page_bytes(), device)),
      x_(device, most_tokens * config.hidden),
      qkv_(device, most_tokens * 3 * config.hidden),
      heads_(device, most_tokens * config.hidden),
      inner_(device, most_tokens * config.ffn) {
  inputs_.resize(device, count(most_tokens), count(std::max(config.hidden, config.ffn)), kPlanes);
}

GpuBert::Tensors GpuBert::read(const Safetensors& file, const BertConfig& config, std::size_t most_tokens,
                               Device& device, ThreadPool& pool) {
  check_gpu_widths(file.name(), {config.hidden, config.ffn});
  check_memory(file, config, most_tokens, device);
  GpuPacker<GpuSplitMatrix> packer(device, pool);
  return BertReader(file, config, packer).read();
}

void GpuBert::embed(std::span<const std::vector<TokenId>> sequences, std::span<float> rows) {
  begin(sequences);
  device_.launch(GatherSumKernel{.table = words_.data(),
                                 .other = weights_.positions.data(),
                                 .ids = parcel_.at(ids_),
                                 .added = parcel_.at(positions_),
                                 .out = x_.data(),
                                 .rows = rows_,
                                 .width = count(config_.hidden)});
  normalise(weights_.embedding_norm);
  for (const Layer& layer : weights_.layers) {
    attention(layer);
    feed_forward(layer);
  }
  device_.launch(UnitMeansKernel{.x = x_.data(),
                                 .first = parcel_.at(first_rows_),
                                 .out = heads_.data(),
                                 .runs = count(sequences.size()),
                                 .width = count(config_.hidden)});
  heads_.get(rows);
}

// Sends the device what its kernels are told of the batch.
void GpuBert::begin(std::span<const std::vector<TokenId>> sequences) {
  std::vector<std::int32_t> ids, positions;
  std::vector<std::uint32_t> first_rows;
  std::vector<PrefillToken> tokens;
  for (const std::vector<TokenId>& sequence : sequences) {
    const std::uint32_t first = count(ids.size()), end = first + count(sequence.size());
    first_rows.push_back(first);
    for (std::uint32_t row = first; row < end; ++row) {
      ids.push_back(sequence[row - first]);
      positions.push_back(static_cast<std::int32_t>(row - first));
      tokens.push_back({row, first, end});
    }
  }
  rows_ = count(ids.size());
  assert(rows_ <= numbers_.size());
  first_rows.push_back(rows_);
  const PrefillRun whole{.tokens = rows_};
  const PrefillPlan plan = prefill_plan(layout_, tokens, {&whole, 1}, kTuning);
  cell_count_ = count(plan.cells.size());
  attention_blocks_ = plan.blocks();
  parcel_.clear();
  ids_ = parcel_.add(ids);
  positions_ = parcel_.add(positions);
  first_rows_ = parcel_.add(first_rows);
  tokens_ = parcel_.add(tokens);
  cells_ = parcel_.add(plan.cells);
  tiles_ = parcel_.add(plan.tiles);
  parcel_.send(device_);
}

void GpuBert::attention(const Layer& layer) {
  const std::uint32_t hidden = count(config_.hidden);
  apply(layer.qkv, inputs(hidden), LinearResult::kStore, qkv_.data());
  KvAppendArgs append;
  append.layout = layout_;
  append.k = qkv_.data() + hidden;
  append.v = qkv_.data() + 2 * hidden;
  append.k_stride = append.v_stride = 3 * hidden;
  append.slots = numbers_.data();
  append.pages = pages_.data();
  device_.launch(AppendLaunch{append, rows_});
  PrefillArgs attend;
  attend.layout = layout_;
  attend.tuning = kTuning;
  attend.cell_count = cell_count_;
  attend.q = qkv_.data();
  attend.q_stride = 3 * hidden;
  attend.pages = pages_.data();
  attend.table = numbers_.data();
  attend.tokens = parcel_.at(tokens_);
  attend.cells = parcel_.at(cells_);
  attend.tiles = parcel_.at(tiles_);
  attend.out = heads_.data();
  device_.launch(PrefillLaunch{attend, attention_blocks_});
  const BlockedRows attended = inputs(hidden);
  device_.launch(SplitKernel{heads_.data(), attended});
  apply(layer.attention_out, attended, LinearResult::kAdd, x_.data());
  normalise(layer.attention_norm);
}

void GpuBert::feed_forward(const Layer& layer) {
  apply(layer.up, inputs(config_.hidden), LinearResult::kStore, inner_.data());
  const BlockedRows inner = inputs(config_.ffn);
  device_.launch(GeluKernel{inner_.data(), inner});
  apply(layer.down, inner, LinearResult::kAdd, x_.data());
  normalise(layer.ffn_norm);
}

// y = W x + b, or y += W x + b.
void GpuBert::apply(const Biased& linear, const BlockedRows& x, LinearResult result, float* y) {
  const GpuSplitMatrix& matrix = linear.weights;
  device_.launch(linear_launch(
      {.weights = matrix.high(), .x = x, .bias = linear.bias.data(), .result = result, .y = y}));
  if (matrix.low() != nullptr) {
    device_.launch(linear_launch({.weights = *matrix.low(), .x = x, .result = LinearResult::kAdd, .y = y}));
  }
}

// x <- norm(x), which is what the next linear takes.
void GpuBert::normalise(const LayerNormWeights<Vector>& norm) {
  device_.launch(LayerNormKernel{.x = x_.data(),
                                 .weight = norm.weight.data(),
                                 .bias = norm.bias.data(),
                                 .out = inputs(config_.hidden),
                                 .epsilon = config_.norm_epsilon});
}

// All matrices are bf16, so their inputs lie in one order.
BlockedRows GpuBert::inputs(std::size_t width) {
  BlockedRows inputs = inputs_.resize(device_, rows_, count(width), kPlanes);
  inputs.order = run_order(weights_.layers.front().qkv.weights.high(), rows_);
  return inputs;
}

}  // namespace micius
