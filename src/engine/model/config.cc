#include "engine/model/config.h"

#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

// Above any model; keeps products of two sizes far below 2^64.
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 24;

// Reads "<architecture>.<key>".
class Keys {
 public:
  Keys(const GgufFile& file, std::string architecture)
      : file_(file), prefix_(std::move(architecture) + ".") {}

  std::size_t size(std::string_view key) const { return checked(key, file_.integer(name(key))); }

  std::size_t size_or(std::string_view key, std::size_t fallback) const {
    return checked(key, file_.integer_if(name(key)).value_or(fallback));
  }

  double positive(std::string_view key, std::optional<double> fallback = std::nullopt) const {
    const std::string full = name(key);
    const double value = fallback ? file_.number_if(full).value_or(*fallback) : file_.number(full);
    if (!std::isfinite(value) || value <= 0) bad(key, "a number above 0");
    return value;
  }

  bool has(std::string_view key) const { return file_.has(name(key)); }

  [[noreturn]] void bad(std::string_view key, std::string_view expected) const {
    fail(ErrorCode::kInvalidData, "{}: key '{}': expected {}", file_.name(), name(key), expected);
  }

  std::string name(std::string_view key) const { return prefix_ + std::string(key); }

 private:
  std::size_t checked(std::string_view key, std::uint64_t value) const {
    if (value < 1 || value > kMaxSize) bad(key, fmt::format("a number from 1 to {}", kMaxSize));
    return static_cast<std::size_t>(value);
  }

  const GgufFile& file_;
  std::string prefix_;
};

void read_llama_attention(const Keys& keys, ModelConfig& config) {
  AttentionShape& shape = config.attention;
  shape.n_q = keys.size("attention.head_count");
  shape.n_k = shape.n_v = keys.size_or("attention.head_count_kv", shape.n_q);
  if (!keys.has("attention.key_length") && config.hidden % shape.n_q != 0) {
    keys.bad("attention.head_count", fmt::format("a divisor of the embedding length {}", config.hidden));
  }
  shape.d_k = keys.size_or("attention.key_length", std::max<std::size_t>(config.hidden / shape.n_q, 1));
  shape.d_v = keys.size_or("attention.value_length", shape.d_k);
  config.d_q = shape.d_k;
  config.qk_rows = QkRows::kInterleaved;
}

void read_sigma_attention(const Keys& keys, ModelConfig& config) {
  AttentionShape& shape = config.attention;
  shape.n_q = keys.size("attention.head_count");
  shape.n_k = keys.size("attention.head_count_k");
  shape.n_v = keys.size("attention.head_count_v");
  config.d_q = keys.size("attention.query_length");
  shape.d_k = keys.size("attention.key_length");
  shape.d_v = keys.size("attention.value_length");
  if (keys.has("attention.augmented_query_length")) {
    config.augmented_q = keys.size("attention.augmented_query_length");
  }
}

void check_variants(const GgufFile& file, const Keys& keys, const ModelConfig& config) {
  const auto scaling = file.string_if(keys.name("rope.scaling.type"));
  if ((scaling && *scaling != "none") || file.find_tensor("rope_freqs.weight") != nullptr) {
    fail(ErrorCode::kUnsupported,
         "{}: the model scales RoPE, which the engine does not do; use a model without", file.name());
  }
  if (file.integer_if(keys.name("expert_count")).value_or(0) > 0) {
    fail(ErrorCode::kUnsupported,
         "{}: the model has experts, which the engine does not do; use a dense model", file.name());
  }
  if (keys.size_or("rope.dimension_count", config.attention.d_k) != config.attention.d_k) {
    fail(ErrorCode::kUnsupported,
         "{}: RoPE on a part of a head ({}) is not covered; it must be the key length {}", file.name(),
         keys.name("rope.dimension_count"), config.attention.d_k);
  }
}

void check_attention(const Keys& keys, const ModelConfig& config) {
  const AttentionShape& shape = config.attention;
  if (shape.n_k > shape.n_q || shape.n_v > shape.n_q) {
    keys.bad("attention.head_count",
             fmt::format("at least as many q heads as K ({}) and V heads ({}), not {}", shape.n_k, shape.n_v,
                         shape.n_q));
  }
  if (shape.d_k % 2 != 0) keys.bad("attention.key_length", "an even number, which RoPE halves");
  if (shape.d_k > config.d_q) keys.bad("attention.key_length", "no more than the query length");
}

}  // namespace

ModelConfig config_from(const GgufFile& file) {
  ModelConfig config;
  config.architecture = file.string("general.architecture");
  const bool llama = config.architecture == "llama", sigma = config.architecture == "sigma";
  if (!llama && !sigma) {
    fail(ErrorCode::kUnsupported, "{}: architecture '{}' is not covered; the engine runs 'llama' and 'sigma'",
         file.name(), shorten(to_valid_utf8(config.architecture), 100));
  }
  const Keys keys(file, config.architecture);
  config.layers = keys.size("block_count");
  if (config.layers > file.tensors().size()) {
    keys.bad("block_count", fmt::format("no more layers than the file has tensors ({}), not {}",
                                        file.tensors().size(), config.layers));
  }
  config.hidden = keys.size("embedding_length");
  config.ffn = keys.size("feed_forward_length");
  config.context = keys.size("context_length");
  config.vocabulary = file.matrix("token_embd.weight").rows;
  if (config.vocabulary > kMaxSize) {
    fail(ErrorCode::kInvalidData, "{}: tensor 'token_embd.weight': expected at most {} rows, not {}",
         file.name(), kMaxSize, config.vocabulary);
  }
  config.rope_base = keys.positive("rope.freq_base", 10000.0);
  config.norm_epsilon = static_cast<float>(keys.positive("attention.layer_norm_rms_epsilon"));
  config.tied_head = file.find_tensor("output.weight") == nullptr;
  llama ? read_llama_attention(keys, config) : read_sigma_attention(keys, config);
  config.attention.scale = 1.0F / std::sqrt(static_cast<float>(config.d_q));
  check_variants(file, keys, config);
  check_attention(keys, config);
  return config;
}

}  // namespace micius
