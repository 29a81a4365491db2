#include "engine/model/transformer.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

#include "engine/ops/elementwise.h"
#include "engine/ops/linear.h"

namespace micius {
namespace {

constexpr std::size_t kStoreGrain = 32;  // tokens worth a thread
constexpr std::size_t kFfnRows = 128;    // whose wide rows are held at once

// `rows` rows of the op's output, contiguous; the memory is kept from one batch to the next.
std::span<float> apply(const Linear& linear, std::span<const float> x, FloatRows& y,
                       const OpContext& context) {
  y.resize(x.size() / linear.inputs() * linear.outputs());
  linear.apply(x, y, context);
  return y;
}

}  // namespace

Transformer::Transformer(const ModelConfig& config, ModelWeights weights)
    : config_(config),
      weights_(std::move(weights)),
      rope_(config.attention.d_k, config.rope_base, config.rope_factors),
      local_rope_(config.attention.d_k, config.local_rope_base) {}

KvLayout Transformer::kv_layout(const ModelConfig& config, Numerics numerics) {
  switch (numerics) {
    case Numerics::kFp32:
      return {config.attention, DType::kF32};
    case Numerics::kFast:
      return {config.attention, DType::kQ8_0};
    default:
      return {config.attention, DType::kF16};
  }
}

std::span<const float> Transformer::forward(std::span<const ForwardSlice> slices,
                                            std::span<const std::int32_t> wanted, const OpContext& context) {
  begin(slices, context);
  if (weights_.embedding) {
    embedding_rows(*weights_.embedding, ids_, x_, context);
  } else {
    weights_.head.read_rows(ids_, x_, context);
  }
  if (config_.embedding_scale != 1) scale(x_, config_.embedding_scale, context);
  for (std::size_t i = 0; i < weights_.layers.size(); ++i) {
    const LayerWeights& layer = weights_.layers[i];
    attention(layer, i, slices, context);
    if (i + 1 == weights_.layers.size()) {  // the rest of the last layer is for rows that are read
      if (wanted.empty()) return {};
      keep_rows(wanted);
    }
    add_sublayer(apply(layer.attention_out, inner_, sublayer_, context), layer.post_attention_norm, context);
    feed_forward(layer, context);
  }
  rms_norm(x_, weights_.final_norm, config_.norm_epsilon, x_, context);
  return x_;
}

void Transformer::begin(std::span<const ForwardSlice> slices, const OpContext& context) {
  ids_.clear();
  positions_.clear();
  attended_.clear();
  for (const ForwardSlice& slice : slices) {
    const std::size_t first = slice.kv->length();
    attended_.push_back(
        {{}, first, slice.tokens.size(), ids_.size(), AttentionMask::kCausal, slice.selection});
    ids_.insert(ids_.end(), slice.tokens.begin(), slice.tokens.end());
    positions_.resize(ids_.size());
    std::iota(positions_.end() - static_cast<std::ptrdiff_t>(slice.tokens.size()), positions_.end(),
              static_cast<std::int32_t>(first));
    slice.kv->extend(slice.tokens.size());
  }
  const auto turn = [&](const RopeAngles& rope, std::vector<float>& turns) {
    turns.resize(positions_.size() * rope.dim());
    rope_turns(rope, positions_, turns, context);
  };
  turn(rope_, turns_);
  if (config_.window_period > 0) turn(local_rope_, local_turns_);
  x_.resize(ids_.size() * config_.hidden);
}

void Transformer::attention(const LayerWeights& layer, std::size_t index,
                            std::span<const ForwardSlice> slices, const OpContext& context) {
  const AttentionShape& shape = config_.attention;
  const std::span<const float> turns = config_.has_local_rope(index) ? local_turns_ : turns_;
  const std::size_t q_width = shape.n_q * shape.d_k, k_width = shape.n_k * shape.d_k;
  sublayer_.resize(x_.size());
  rms_norm(x_, layer.attention_norm, config_.norm_epsilon, sublayer_, context);
  apply(layer.qkv, sublayer_, wide_, context);
  if (!layer.qkv_bias.empty()) add_bias(wide_, layer.qkv_bias, context);
  const std::size_t stride = layer.qkv.outputs();
  float *q = wide_.data(), *k = wide_.data();
  std::size_t q_stride = stride;
  if (layer.augmented_q) {
    const auto gate_up =
        apply(layer.augmented_q->gate_up, apply(*layer.q, sublayer_, q_, context), augmented_, context);
    inner_.resize(gate_up.size() / 2);
    swiglu(gate_up, config_.augmented_q, inner_, context);
    q = apply(layer.augmented_q->down, inner_, q_, context).data();
    q_stride = q_width;
    apply_rope(q, q_stride, shape.n_q, shape.d_k, turns, context);
    apply_rope(k, stride, shape.n_k, shape.d_k, turns, context);
  } else {
    k += q_width;
    norm_heads(q, stride, shape.n_q, layer.q_norm, context);
    norm_heads(k, stride, shape.n_k, layer.k_norm, context);
    apply_rope(q, stride, shape.n_q + shape.n_k, shape.d_k, turns, context);  // k's heads follow q's
  }
  store(index, slices, k, k + k_width, stride, context);
  inner_.resize(ids_.size() * shape.n_q * shape.d_v);
  attend(slices.front().kv->layout(), attended_, q, q_stride, inner_, context);
}

void Transformer::norm_heads(float* x, std::size_t stride, std::size_t heads, std::span<const float> weight,
                             const OpContext& context) {
  if (weight.empty()) return;
  rms_norm_heads(x, stride, ids_.size(), heads, weight, config_.norm_epsilon, context);
}

void Transformer::store(std::size_t index, std::span<const ForwardSlice> slices, const float* k,
                        const float* v, std::size_t stride, const OpContext& context) {
  const AttentionShape& shape = config_.attention;
  for (std::size_t i = 0; i < slices.size(); ++i) {
    AttentionSlice& slice = attended_[i];
    slice.pages = slices[i].kv->pages(index);
    slice.window = config_.window_of(index);
    const auto store_tokens = [&](std::size_t begin, std::size_t end) {
      for (std::size_t t = begin; t < end; ++t) {
        const std::size_t position = slice.first_position + t, row = slice.first_row + t;
        store_kv(slices[i].kv->layout(), slice.pages[position / kPageTokens], position % kPageTokens,
                 {k + row * stride, shape.n_k * shape.d_k}, {v + row * stride, shape.n_v * shape.d_v},
                 context);
      }
    };
    context.pool.parallel_for(slice.tokens, kStoreGrain, store_tokens);
  }
}

// Leaves only `wanted` rows of what the last layer still reads.
void Transformer::keep_rows(std::span<const std::int32_t> wanted) {
  const auto keep = [&](FloatRows& rows, std::size_t width) {
    for (std::size_t i = 0; i < wanted.size(); ++i) {  // rising, so none is overwritten before it is read
      const auto row = static_cast<std::size_t>(wanted[i]);
      assert(row >= i);
      if (row != i) std::copy_n(rows.data() + row * width, width, rows.data() + i * width);
    }
    rows.resize(wanted.size() * width);
  };
  keep(x_, config_.hidden);
  keep(inner_, config_.attention.n_q * config_.attention.d_v);
}

void Transformer::feed_forward(const LayerWeights& layer, const OpContext& context) {
  sublayer_.resize(x_.size());
  rms_norm(x_, layer.ffn_norm, config_.norm_epsilon, sublayer_, context);
  const auto gated = config_.activation == Activation::kSilu ? swiglu : geglu;
  for (std::size_t begin = 0; begin < x_.size(); begin += kFfnRows * config_.hidden) {
    const std::size_t size = std::min(kFfnRows * config_.hidden, x_.size() - begin);
    const auto gate_up = apply(layer.gate_up, std::span(sublayer_).subspan(begin, size), wide_, context);
    inner_.resize(gate_up.size() / 2);
    gated(gate_up, config_.ffn, inner_, context);
    layer.down.apply(inner_, std::span(sublayer_).subspan(begin, size), context);
  }
  add_sublayer(sublayer_, layer.post_ffn_norm, context);
}

void Transformer::add_sublayer(std::span<float> y, std::span<const float> norm, const OpContext& context) {
  if (!norm.empty()) rms_norm(y, norm, config_.norm_epsilon, y, context);
  add(x_, y, context);
}

}  // namespace micius
