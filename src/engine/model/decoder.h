// A decoder on whatever device it runs, as the scheduler drives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "engine/kv_cache.h"
#include "engine/model/config.h"
#include "engine/ops/attention.h"
#include "engine/ops/logits.h"
#include "engine/tokenizer/bpe.h"

namespace micius {

// New tokens of one sequence, which stand behind those that its cache holds.
struct ForwardSlice {
  KvSequence* kv;
  std::span<const TokenId> tokens;  // ids below the vocabulary's size
  ValueSelection selection = {};    // of all of them
};

// Rows whose whole logits are held at a time, where nothing asks for more.
inline constexpr std::size_t kLogitRows = 32;

// For one thread.
class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual const ModelConfig& config() const = 0;
  // Memory for the caches of its sequences, to be called once; of at most so many bytes. It must not outlive
  // this.
  virtual std::unique_ptr<KvPool> make_kv_pool(std::size_t budget_bytes) = 0;
  // Runs the tokens of all slices, which have kv caches of their own, as one batch and appends their keys and
  // values. `wanted` are rows of the batch (slices one after the other), each above the one before; the three
  // below read them, until the next call.
  virtual void forward(std::span<const ForwardSlice> slices, std::span<const std::int32_t> wanted) = 0;
  // Of the wanted rows from `first` on: summaries, one a row, and the logits that `picks` name, whose rows
  // count from `first` and do not fall.
  virtual void score(std::size_t first, std::span<const LogitPick> picks, std::span<LogitSummary> summaries,
                     std::span<float> picked) = 0;
  // Of wanted rows from `first` on the lowest id with the largest logit; absent where that is no finite
  // number, and on a GPU where any logit is none.
  virtual void greedy(std::size_t first, std::span<std::optional<TokenId>> tokens) = 0;
  // The logits of so many wanted rows, [rows, vocabulary], valid until the next call.
  virtual std::span<const float> logits(std::size_t first, std::size_t rows) = 0;
  virtual std::size_t bytes() const = 0;  // of the packed weights
};

}  // namespace micius
