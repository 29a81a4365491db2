#include "engine/model/cpu_bert.h"

#include <algorithm>
#include <utility>

#include "engine/ops/elementwise.h"

namespace micius {
namespace {

constexpr std::size_t kStoreGrain = 2;  // sequences worth a thread

KvLayout layout_of(const BertConfig& config) { return {config.attention, DType::kF32}; }

}  // namespace

CpuBert::CpuBert(const BertConfig& config, BertWeights weights, const OpContext& context)
    : config_(config), weights_(std::move(weights)), context_(context) {}

void CpuBert::embed(std::span<const std::vector<TokenId>> sequences, std::span<float> rows) {
  look_up(sequences);
  plan_attention(sequences);
  for (const Layer& layer : weights_.tensors.layers) {
    attention(layer);
    feed_forward(layer);
  }
  std::vector<std::size_t> counts;
  for (const std::vector<TokenId>& sequence : sequences) counts.push_back(sequence.size());
  unit_means(x_, counts, config_.hidden, rows);
}

void CpuBert::look_up(std::span<const std::vector<TokenId>> sequences) {
  std::vector<TokenId> ids, positions;
  for (const std::vector<TokenId>& sequence : sequences) {
    ids.insert(ids.end(), sequence.begin(), sequence.end());
    for (std::size_t i = 0; i < sequence.size(); ++i) positions.push_back(static_cast<TokenId>(i));
  }
  const MatrixView table{DType::kF32, config_.positions, config_.hidden,
                         reinterpret_cast<const std::byte*>(weights_.tensors.positions.data())};
  x_.resize(ids.size() * config_.hidden);
  y_.resize(x_.size());
  embedding_rows(weights_.tensors.words, ids, x_, context_);
  embedding_rows(table, positions, y_, context_);
  add(x_, y_, context_);
  const Norm& norm = weights_.tensors.embedding_norm;
  layer_norm(x_, norm.weight, norm.bias, config_.norm_epsilon, x_, context_);
}

// Keys and values of every layer go through the same pages, which the slices then borrow.
void CpuBert::plan_attention(std::span<const std::vector<TokenId>> sequences) {
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

void CpuBert::attention(const Layer& layer) {
  const KvLayout layout = layout_of(config_);
  const std::size_t hidden = config_.hidden;
  add_bias(apply(layer.qkv, x_, qkv_), layer.qkv.bias, context_);
  context_.pool.parallel_for(attended_.size(), kStoreGrain, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      for (std::size_t t = 0; t < attended_[i].tokens; ++t) {
        const float* k = qkv_.data() + (attended_[i].first_row + t) * 3 * hidden + hidden;
        store_kv(layout, attended_[i].pages[t / kPageTokens], t % kPageTokens, {k, hidden},
                 {k + hidden, hidden}, context_);
      }
    }
  });
  heads_.resize(x_.size());
  attend(layout, attended_, qkv_.data(), 3 * hidden, heads_, context_);
  add_and_norm(layer.attention_out, heads_, layer.attention_norm);
}

void CpuBert::feed_forward(const Layer& layer) {
  gelu(apply(layer.up, x_, inner_), layer.up.bias, context_);
  add_and_norm(layer.down, inner_, layer.ffn_norm);
}

// Without the bias.
std::span<float> CpuBert::apply(const Biased& linear, std::span<const float> x, FloatRows& y) const {
  y.resize(x.size() / linear.weights.inputs() * linear.weights.outputs());
  linear.weights.apply(x, y, context_);
  return y;
}

// x <- norm(x + W input + b)
void CpuBert::add_and_norm(const Biased& linear, std::span<const float> input, const Norm& norm) {
  add(x_, apply(linear, input, y_), context_);
  add_bias(x_, linear.bias, context_);
  layer_norm(x_, norm.weight, norm.bias, config_.norm_epsilon, x_, context_);
}

}  // namespace micius
