// The numbers of a decoder: RMSNorm, RoPE, DiffQKV attention, SwiGLU.
// A Llama is the case n_k = n_v without AugQ (arXiv 2501.13629, section 2); Qwen 2 has biases on q, k and v
// besides, Qwen 3 norms on the heads of q and k, Gemma 3 norms behind the sublayers too: what of these there
// is, the tensors say.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/kv_page.h"
#include "engine/model/source.h"

namespace micius {

enum class Activation { kSilu, kGeluTanh };

struct ModelConfig {
  std::string architecture;  // "llama", "qwen2", "qwen3", "gemma3", "sigma"
  std::size_t layers = 0, hidden = 0, ffn = 0, vocabulary = 0;
  std::size_t context = 0;      // positions
  AttentionShape attention;     // d_k is the width of cached keys and of q where it meets them
  std::size_t d_q = 0;          // of a q head as projected; above d_k with half K: keys are folded into q
  std::size_t augmented_q = 0;  // inner width of AugQ's gated MLP on q; 0: none
  bool tied_head = false;       // the head is the embedding
  double rope_base = 10000;
  std::vector<double> rope_factors;  // by which frequencies are divided, [d_k / 2]; empty: ones
  float norm_epsilon = 1e-5F;
  Activation activation = Activation::kSilu;
  float embedding_scale = 1;
  // Layers that see the last `window` positions only (0: none does) and have their own, unscaled RoPE: all
  // but each `window_period`-th; with a period of 0 all, with the RoPE of the others.
  std::size_t window = 0, window_period = 0;
  double local_rope_base = 10000;

  std::size_t window_of(std::size_t layer) const {
    return window_period > 0 && (layer + 1) % window_period == 0 ? 0 : window;
  }
  bool has_local_rope(std::size_t layer) const { return window_period > 0 && window_of(layer) > 0; }

  bool half_k() const { return attention.d_k != d_q; }
};

// Throws Error{kUnsupported} for another architecture or a variant of one that is not covered (YaRN,
// experts), Error{kInvalidData} for numbers that are missing or do not fit together; messages name the file's
// key.
ModelConfig config_from(const ModelSource& source);

}  // namespace micius
