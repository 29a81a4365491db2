#include "engine/model/config.h"

#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/text.h"
#include "engine/quant.h"

namespace micius {
namespace {

// Above any model; keeps products of two sizes far below 2^64.
constexpr std::uint64_t kMaxSize = std::uint64_t{1} << 24;

// Reads numbers by GGUF's names.
class Keys {
 public:
  explicit Keys(const ModelSource& source) : source_(source) {}

  std::size_t size(std::string_view key) const {
    const auto value = source_.integer_if(key);
    if (!value) missing(key);
    return checked(key, *value);
  }

  std::size_t size_or(std::string_view key, std::size_t fallback) const {
    return checked(key, source_.integer_if(key).value_or(fallback));
  }

  double positive(std::string_view key, std::optional<double> fallback = std::nullopt) const {
    auto value = source_.number_if(key);
    if (!value) value = fallback;
    if (!value) missing(key);
    if (!std::isfinite(*value) || *value <= 0) bad(key, "a number above 0");
    return *value;
  }

  bool has(std::string_view key) const { return source_.integer_if(key).has_value(); }

  [[noreturn]] void bad(std::string_view key, std::string_view expected) const {
    fail(ErrorCode::kInvalidData, "{}: key '{}': expected {}", source_.file(), source_.key_name(key),
         expected);
  }

 private:
  [[noreturn]] void missing(std::string_view key) const {
    fail(ErrorCode::kInvalidData, "{}: key '{}' is missing", source_.file(), source_.key_name(key));
  }

  std::size_t checked(std::string_view key, std::uint64_t value) const {
    if (value < 1 || value > kMaxSize) bad(key, fmt::format("a number from 1 to {}", kMaxSize));
    return static_cast<std::size_t>(value);
  }

  const ModelSource& source_;
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
}

// Mistral's: every layer has the window.
void read_windowed_attention(const Keys& keys, ModelConfig& config) {
  read_llama_attention(keys, config);
  if (keys.has("attention.sliding_window")) config.window = keys.size("attention.sliding_window");
}

// Gemma 3 (arXiv 2503.19786): five layers with a window for one without.
void read_gemma3(const Keys& keys, ModelConfig& config) {
  constexpr std::size_t kLayersOf27B = 62;  // its files do not say that its scores are scaled otherwise
  read_windowed_attention(keys, config);
  config.window_period = keys.size_or("attention.sliding_window_pattern", 6);
  config.local_rope_base = keys.positive("rope.freq_base_swa", 10000.0);
  config.activation = Activation::kGeluTanh;
  config.embedding_scale = std::sqrt(static_cast<float>(config.hidden));
  const std::size_t scaled =
      config.layers == kLayersOf27B ? config.hidden / config.attention.n_q : config.d_q;
  config.attention.scale =
      static_cast<float>(keys.positive("attention.scale", 1 / std::sqrt(static_cast<double>(scaled))));
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

// Linear scaling divides all frequencies by one factor; Llama 3.1's has one for each, as a tensor.
std::vector<double> read_rope_factors(const ModelSource& source, const Keys& keys, std::size_t d_k) {
  constexpr std::string_view kTensor = "rope_freqs.weight";
  const std::string scaling = source.string_if("rope.scaling.type").value_or("none");
  if (source.tensors().contains(kTensor)) {
    const MatrixView view = source.tensor(kTensor);
    if (view.rows != 1 || view.cols != d_k / 2) {
      fail(ErrorCode::kInvalidData, "{}: tensor '{}' is [{}, {}], the model's numbers ask for [{}]",
           source.file(), source.tensor_name(kTensor), view.rows, view.cols, d_k / 2);
    }
    std::vector<float> values(view.cols);
    dequantize(view.dtype, view.data, values);
    for (const float value : values) {
      if (std::isfinite(value) && value > 0) continue;
      fail(ErrorCode::kInvalidData, "{}: tensor '{}': expected numbers above 0", source.file(),
           source.tensor_name(kTensor));
    }
    return {values.begin(), values.end()};
  }
  if (scaling == "linear") return std::vector<double>(d_k / 2, keys.positive("rope.scaling.factor"));
  if (scaling == "none" || scaling == "default") return {};
  fail(ErrorCode::kUnsupported, "{}: the model scales RoPE by '{}'; the engine does 'linear' and 'llama3'",
       source.file(), shorten(to_valid_utf8(scaling), 100));
}

void check_variants(const ModelSource& source, const Keys& keys, const ModelConfig& config) {
  if (source.integer_if("expert_count").value_or(0) > 0) {
    fail(ErrorCode::kUnsupported,
         "{}: the model has experts, which the engine does not do; use a dense model", source.file());
  }
  if (keys.size_or("rope.dimension_count", config.attention.d_k) != config.attention.d_k) {
    fail(ErrorCode::kUnsupported,
         "{}: RoPE on a part of a head ({}) is not covered; it must be the key length {}", source.file(),
         source.key_name("rope.dimension_count"), config.attention.d_k);
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

using AttentionReader = void (*)(const Keys&, ModelConfig&);

AttentionReader attention_reader(const ModelSource& source) {
  struct Architecture {
    std::string_view name;
    AttentionReader read;
  };
  constexpr Architecture kArchitectures[] = {{"llama", read_windowed_attention},
                                             {"qwen2", read_llama_attention},
                                             {"qwen3", read_llama_attention},
                                             {"gemma3", read_gemma3},
                                             {"sigma", read_sigma_attention}};
  const std::string name = source.architecture();
  std::string names;
  for (const Architecture& architecture : kArchitectures) {
    if (architecture.name == name) return architecture.read;
    names.append(names.empty() ? "" : ", ").append(architecture.name);
  }
  fail(ErrorCode::kUnsupported, "{}: architecture '{}' is not covered; the engine runs {}", source.file(),
       shorten(to_valid_utf8(name), 100), names);
}

std::size_t vocabulary_of(const ModelSource& source) {
  const std::size_t rows = source.tensor("token_embd.weight").rows;
  if (rows > kMaxSize) {
    fail(ErrorCode::kInvalidData, "{}: tensor '{}': expected at most {} rows, not {}", source.file(),
         source.tensor_name("token_embd.weight"), kMaxSize, rows);
  }
  return rows;
}

}  // namespace

ModelConfig config_from(const ModelSource& source) {
  ModelConfig config;
  config.architecture = source.architecture();
  const Keys keys(source);
  const auto read_attention = attention_reader(source);
  config.layers = keys.size("block_count");
  if (config.layers > source.tensors().size()) {
    keys.bad("block_count", fmt::format("no more layers than the file has tensors ({}), not {}",
                                        source.tensors().size(), config.layers));
  }
  config.hidden = keys.size("embedding_length");
  config.ffn = keys.size("feed_forward_length");
  config.context = keys.size("context_length");
  config.vocabulary = vocabulary_of(source);
  config.rope_base = keys.positive("rope.freq_base", 10000.0);
  config.norm_epsilon = static_cast<float>(keys.positive("attention.layer_norm_rms_epsilon"));
  config.tied_head = !source.tensors().contains("output.weight");
  read_attention(keys, config);
  if (config.attention.scale == 0) config.attention.scale = 1.0F / std::sqrt(static_cast<float>(config.d_q));
  check_variants(source, keys, config);
  check_attention(keys, config);
  config.rope_factors = read_rope_factors(source, keys, config.attention.d_k);
  return config;
}

}  // namespace micius
