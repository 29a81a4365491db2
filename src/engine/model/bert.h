// The forward pass of a BERT encoder (Devlin et al., 2019), on whatever device.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/tokenizer/bpe.h"

namespace micius {

// Immutable but for its working memory: one embed() at a time.
class Bert {
 public:
  virtual ~Bert() = default;
  // Runs all sequences as one batch. rows: [sequences.size(), hidden], of each sequence the mean of the last
  // layer's hidden states over all its tokens, scaled to length 1. A sequence has 1 to config.positions
  // tokens, ids below the vocabulary's size.
  virtual void embed(std::span<const std::vector<TokenId>> sequences, std::span<float> rows) = 0;
  virtual std::size_t bytes() const = 0;  // of the layers' matrices
};

}  // namespace micius
