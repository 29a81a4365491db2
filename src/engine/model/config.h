// The numbers of a decoder: RMSNorm, RoPE, DiffQKV attention, SwiGLU.
// A Llama is the case n_k = n_v without AugQ (arXiv 2501.13629, section 2).
#pragma once

#include <cstddef>
#include <string>

#include "engine/kv_page.h"
#include "engine/model/source.h"

namespace micius {

struct ModelConfig {
  std::string architecture;  // "llama", "sigma"
  std::size_t layers = 0, hidden = 0, ffn = 0, vocabulary = 0;
  std::size_t context = 0;      // positions
  AttentionShape attention;     // d_k is the width of cached keys and of q where it meets them
  std::size_t d_q = 0;          // of a q head as projected; above d_k with half K: keys are folded into q
  std::size_t augmented_q = 0;  // inner width of AugQ's gated MLP on q; 0: none
  bool tied_head = false;       // the head is the embedding
  double rope_base = 10000;
  float norm_epsilon = 1e-5F;

  bool half_k() const { return attention.d_k != d_q; }
};

// Throws Error{kUnsupported} for another architecture or a variant of one that is not covered (scaled RoPE,
// experts), Error{kInvalidData} for numbers that are missing or do not fit together; messages name the file's
// key.
ModelConfig config_from(const ModelSource& source);

}  // namespace micius
