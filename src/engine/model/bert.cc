#include "engine/model/bert.h"

#include <algorithm>
#include <utility>

#include "engine/ops/elementwise.h"

namespace micius {
namespace {

constexpr std::size_t kStoreGrain = 2;  // sequences worth a thread

KvLayout layout_of(const BertConfig& config) { return {config.attention, DType::kF32}; }

// Without the bias.
std::span<float> apply(const BiasedLinear& linear, std::span<const float> x, FloatRows& y,
                       const OpContext& context) {
  y.resize(x.size() / linear.weights.inputs() * linear.weights.outputs());
  linear.weights.apply(x, y, context);
  return y;
}

}  // namespace

Bert::Bert(const BertConfig& config, BertWeights weights) : config_(config), weights_(std::move(weights)) {}

std::span<const float> Bert::forward(std::span<const std::vector<TokenId>> sequences,
                                     const OpContext& context) {
  embed(sequences, context);
  plan_attention(sequences);
  for (const BertLayer& layer : weights_.layers) {
    attention(layer, context);
    feed_forward(layer, context);
  }
  return x_;
}

void Bert::embed(std::span<const std::vector<TokenId>> sequences, const OpContext& context) {
  std::vector<TokenId> ids, positions;
  for (const std::vector<TokenId>& sequence : sequences) {
    ids.insert(ids.end(), sequence.begin(), sequence.end());
    for (std::size_t i = 0; i < sequence.size(); ++i) positions.push_back(static_cast<TokenId>(i));
  }
  const MatrixView table{DType::kF32, config_.positions, config_.hidden,
                         reinterpret_cast<const std::byte*>(weights_.positions.data())};
  x_.resize(ids.size() * config_.hidden);
  y_.resize(x_.size());
  embedding_rows(weights_.words, ids, x_, context);
  embedding_rows(table, positions, y_, context);
  add(x_, y_, context);
  const LayerNormWeights& norm = weights_.embedding_norm;
  layer_norm(x_, norm.weight, norm.bias, config_.norm_epsilon, x_, context);
}

// Keys and values of every layer go through the same pages, which the slices then borrow.
void Bert::plan_attention(std::span<const std::vector<TokenId>> sequences) {
  const std::size_t page_bytes = layout_of(config_).page_bytes();
  std::size_t count = 0, row = 0;
  for (const std::vector<TokenId>& sequence : sequences) {
    count += (sequence.size() + kPageTokens - 1) / kPageTokens;
  }
  if (memory_.size() < count * page_bytes) {
    memory_ = Buffer();
    memory_ = Buffer(count * page_bytes);
  }
  pages_.resize(count);
  for (std::size_t i = 0; i < count; ++i) pages_[i] = memory_.data() + i * page_bytes;
  attended_.clear();
  std::span<std::byte* const> pages = pages_;
  for (const std::vector<TokenId>& sequence : sequences) {
    attended_.push_back({pages, 0, sequence.size(), row, AttentionMask::kNone});
    pages = pages.subspan((sequence.size() + kPageTokens - 1) / kPageTokens);
    row += sequence.size();
  }
}

void Bert::attention(const BertLayer& layer, const OpContext& context) {
  const KvLayout layout = layout_of(config_);
  const std::size_t hidden = config_.hidden;
  add_bias(apply(layer.qkv, x_, qkv_, context), layer.qkv.bias, context);
  context.pool.parallel_for(attended_.size(), kStoreGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t t = 0; t < attended_[i].tokens; ++t) {
        const float* k = qkv_.data() + (attended_[i].first_row + t) * 3 * hidden + hidden;
        store_kv(layout, attended_[i].pages[t / kPageTokens], t % kPageTokens, {k, hidden},
                 {k + hidden, hidden}, context);
      }
    }
  });
  heads_.resize(x_.size());
  attend(layout, attended_, qkv_.data(), 3 * hidden, heads_, context);
  add_and_norm(layer.attention_out, heads_, layer.attention_norm, context);
}

void Bert::feed_forward(const BertLayer& layer, const OpContext& context) {
  gelu(apply(layer.up, x_, inner_, context), layer.up.bias, context);
  add_and_norm(layer.down, inner_, layer.ffn_norm, context);
}

// x <- norm(x + W input + b)
void Bert::add_and_norm(const BiasedLinear& linear, std::span<const float> input,
                        const LayerNormWeights& norm, const OpContext& context) {
  add(x_, apply(linear, input, y_, context), context);
  add_bias(x_, linear.bias, context);
  layer_norm(x_, norm.weight, norm.bias, config_.norm_epsilon, x_, context);
}

std::size_t Bert::bytes() const {
  std::size_t bytes = 0;
  for (const BertLayer& layer : weights_.layers) {
    bytes += layer.qkv.weights.bytes() + layer.attention_out.weights.bytes() + layer.up.weights.bytes() +
             layer.down.weights.bytes();
  }
  return bytes;
}

}  // namespace micius
