#include "engine/attention_speed.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <memory>
#include <span>
#include <utility>

#include "base/error.h"
#include "engine/kv_cache.h"
#include "engine/ops/attention.h"
#include "engine/ops/op_context.h"
#include "engine/speed_internal.h"

namespace micius {
namespace {

constexpr std::size_t kMostHeads = 1024, kMostLayers = 256, kMostTokens = std::size_t{1} << 28;
constexpr std::size_t kUncachedBytes = 256 << 20;
constexpr std::size_t kRandomPages = 8;  // what all pages are copies of

// One head setting: its caches and the operands of its steps.
class Setting {
 public:
  Setting(const AttentionShape& shape, const AttentionTest& test, std::size_t layers,
          const OpContext& context);

  // Adds a step's times to `times`.
  void step(AttentionTimes& times);
  double error();  // AttentionResult::errors

 private:
  void fill();
  void copy(std::size_t layer);
  void attend_layer(std::size_t layer, ValueSelection selection);
  std::span<KvSequence> layer(std::size_t layer) { return {&caches_[layer * test_.batch], test_.batch}; }

  KvLayout layout_;
  AttentionTest test_;
  std::size_t blocks_;  // of a sequence
  KvPool pool_;
  std::vector<KvSequence> caches_;  // [layers][batch]
  std::vector<KvSequence> spare_;   // [batch]: what the next layer is copied to
  std::vector<float> q_, k_, v_, out_;
  OpContext context_;
};

Setting::Setting(const AttentionShape& shape, const AttentionTest& test, std::size_t layers,
                 const OpContext& context)
    : layout_{shape},
      test_(test),
      blocks_(KvPool::blocks_for(test.context + 1)),
      pool_(layout_, 1, blocks_ * test.batch * (layers + 1) * layout_.page_bytes()),
      out_(test.batch * shape.n_q * shape.d_v),
      context_(context) {
  test_.layers = layers;
  const auto add = [&](std::vector<KvSequence>& sequences, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) sequences.emplace_back(pool_).extend(test.context + 1);
  };
  add(caches_, layers * test.batch);
  if (test.mode == KvMode::kConcat) add(spare_, test.batch);
  fill();
}

void Setting::fill() {
  const AttentionShape& shape = layout_.shape;
  Rng rng("attention bench");
  Buffer random(kRandomPages * layout_.page_bytes());
  for (std::size_t token = 0; token < kRandomPages * kPageTokens; ++token) {
    store_kv(layout_, random.data() + token / kPageTokens * layout_.page_bytes(), token % kPageTokens,
             random_values(shape.n_k * shape.d_k, rng), random_values(shape.n_v * shape.d_v, rng), context_);
  }
  q_ = random_values(test_.batch * shape.n_q * shape.d_k, rng);
  k_ = random_values(shape.n_k * shape.d_k, rng);
  v_ = random_values(shape.n_v * shape.d_v, rng);
  for (std::vector<KvSequence>* sequences : {&caches_, &spare_}) {
    context_.pool.run(sequences->size() * blocks_, [&](std::size_t i, int) {
      std::memcpy((*sequences)[i / blocks_].pages(0)[i % blocks_],
                  random.data() + i % kRandomPages * layout_.page_bytes(), layout_.page_bytes());
    });
  }
}

// The memory of the layer that was copied is what the next one is copied to, as an allocator would have it.
void Setting::copy(std::size_t layer) {
  const std::span<KvSequence> from = this->layer(layer);
  context_.pool.run(from.size() * blocks_, [&](std::size_t i, int) {
    std::memcpy(spare_[i / blocks_].pages(0)[i % blocks_], from[i / blocks_].pages(0)[i % blocks_],
                layout_.page_bytes());
  });
  std::swap_ranges(from.begin(), from.end(), spare_.begin());
}

void Setting::attend_layer(std::size_t layer, ValueSelection selection) {
  const AttentionShape& shape = layout_.shape;
  std::vector<AttentionSlice> slices;
  for (const KvSequence& cache : this->layer(layer)) {
    const std::span<std::byte* const> pages = cache.pages(0);
    store_kv(layout_, pages.back(), test_.context % kPageTokens, k_, v_, context_);
    slices.push_back({.pages = pages,
                      .first_position = test_.context,
                      .tokens = 1,
                      .first_row = slices.size(),
                      .selection = selection});
  }
  attend(layout_, slices, q_.data(), shape.n_q * shape.d_k, out_, context_);
}

void Setting::step(AttentionTimes& times) {
  double copying = 0, attending = 0;
  for (std::size_t layer = 0; layer < test_.layers; ++layer) {
    if (test_.mode == KvMode::kConcat) {
      const auto start = std::chrono::steady_clock::now();
      copy(layer);
      copying += seconds_since(start);
    }
    const auto start = std::chrono::steady_clock::now();
    attend_layer(layer, test_.selection);
    attending += seconds_since(start);
  }
  times.copy.push_back(copying);
  times.attention.push_back(attending);
}

double Setting::error() {
  attend_layer(0, {});
  const std::vector<float> all = out_;
  attend_layer(0, test_.selection);
  double difference = 0, norm = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    difference += std::pow(static_cast<double>(out_[i]) - all[i], 2);
    norm += std::pow(static_cast<double>(all[i]), 2);
  }
  return std::sqrt(difference / norm);
}

void check_shape(const AttentionShape& shape) {
  for (const std::size_t n : {shape.n_q, shape.n_k, shape.n_v, shape.d_k, shape.d_v}) {
    if (n < 1 || n > kMostHeads) fail(ErrorCode::kUsage, "{} heads or dims; use 1 to {}", n, kMostHeads);
  }
  if (shape.n_k > shape.n_q || shape.n_v > shape.n_q) {
    fail(ErrorCode::kUsage, "{} K and {} V heads for {} Q heads; there may be at most as many", shape.n_k,
         shape.n_v, shape.n_q);
  }
}

std::size_t layers_of(const AttentionTest& test, const std::vector<AttentionShape>& settings) {
  if (test.layers > 0) return test.layers;
  std::size_t fewest = kUncachedBytes;
  for (const AttentionShape& shape : settings) fewest = std::min(fewest, kv_bytes(shape, test));
  return std::min((kUncachedBytes + fewest - 1) / fewest, kMostLayers);
}

std::vector<AttentionShape> checked(std::vector<AttentionShape> settings) {
  if (settings.empty()) fail(ErrorCode::kUsage, "no head settings to measure");
  for (const AttentionShape& shape : settings) check_shape(shape);
  return settings;
}

}  // namespace

std::size_t kv_bytes(const AttentionShape& shape, const AttentionTest& test) {
  const std::size_t tokens = test.context + 1;
  const std::size_t heads_of_v = (shape.n_q + shape.n_v - 1) / shape.n_v;
  const std::size_t values =
      test.selection.top > 0 ? std::min(tokens, heads_of_v * test.selection.top) : tokens;
  return test.batch * (tokens * shape.n_k * shape.d_k + values * shape.n_v * shape.d_v) * 2;
}

AttentionBench::AttentionBench(std::vector<AttentionShape> settings, int threads, Isa isa,
                               std::size_t read_bytes)
    : settings_(checked(std::move(settings))),
      isa_(isa),
      pool_(thread_count(threads)),
      read_(read_bytes, pool_) {}

AttentionResult AttentionBench::run(const AttentionTest& test, int repeats) {
  if (test.batch < 1 || test.context >= kMostTokens || test.batch > kMostTokens ||
      test.layers > kMostLayers || test.context * test.batch > kMostTokens) {
    fail(ErrorCode::kUsage,
         "{} sequences of {} tokens in {} layers; use at least 1, at most {} tokens in {} layers", test.batch,
         test.context, test.layers, kMostTokens, kMostLayers);
  }
  Scratch scratch;
  AttentionResult result{layers_of(test, settings_), std::vector<AttentionTimes>(settings_.size()), {}, {}};
  std::vector<std::unique_ptr<Setting>> settings;
  for (const AttentionShape& shape : settings_) {
    settings.push_back(
        std::make_unique<Setting>(shape, test, result.layers, OpContext{isa_, pool_, scratch}));
    AttentionTimes warm_up;
    settings.back()->step(warm_up);
    result.errors.push_back(settings.back()->error());
  }
  for (int repeat = 0; repeat < repeats; ++repeat) {
    for (std::size_t i = 0; i < settings.size(); ++i) settings[i]->step(result.settings[i]);
    result.read.push_back(read_.seconds());
  }
  return result;
}

}  // namespace micius
