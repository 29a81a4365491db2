// DiffQKV checkpoints of every shape against their expected logits: unequal heads and widths, AugQ, half K.
#include <cmath>
#include <cstring>
#include <string>

#include <catch2/catch.hpp>

#include "base/files.h"
#include "base/json.h"
#include "engine/gguf_builder.h"
#include "engine/model/transformer.h"
#include "engine/op_fixture.h"
#include "engine/test_model.h"

namespace micius {
namespace {

// A safetensors file: a header's length, the header as JSON, bytes. Read without checks: the files are ours.
class Tensors {
 public:
  explicit Tensors(const std::filesystem::path& path) : bytes_(read_file(path)) {
    std::uint64_t size = 0;
    std::memcpy(&size, bytes_.data(), sizeof size);
    header_ = parse_json(std::string_view(bytes_).substr(8, size), path.string());
    data_ = 8 + size;
  }
  const Json& header() const { return header_; }
  std::string_view bytes(const std::string& name) const {
    const Json& offsets = header_[name]["data_offsets"];
    const std::size_t begin = offsets[0], end = offsets[1];
    return std::string_view(bytes_).substr(data_ + begin, end - begin);
  }
  template <typename T>
  std::vector<T> values(const std::string& name) const {
    const std::string_view from = bytes(name);
    std::vector<T> values(from.size() / sizeof(T));
    std::memcpy(values.data(), from.data(), from.size());
    return values;
  }

 private:
  std::string bytes_;
  Json header_;
  std::size_t data_ = 0;
};

std::string gguf_name(std::string name) {
  const std::pair<const char*, const char*> words[] = {{"model.embed_tokens", "token_embd"},
                                                       {"model.norm", "output_norm"},
                                                       {"lm_head", "output"},
                                                       {"model.layers.", "blk."},
                                                       {"self_attn.o_proj", "attn_output"},
                                                       {"self_attn.", "attn_"},
                                                       {"mlp.", "ffn_"},
                                                       {"input_layernorm", "attn_norm"},
                                                       {"post_attention_layernorm", "ffn_norm"},
                                                       {"_proj", ""}};
  for (const auto& [from, to] : words) {
    if (const std::size_t at = name.find(from); at != std::string::npos)
      name.replace(at, std::strlen(from), to);
  }
  return name;
}

std::string as_gguf(const std::filesystem::path& folder) {
  const Json config = parse_json(read_file(folder / "config.json"), "config.json");
  const auto number = [&](const char* key) { return config[key].get<std::uint32_t>(); };
  const auto width = [&](const char* key) { return config.contains(key) ? number(key) : number("head_dim"); };
  GgufBuilder builder;
  builder.string("general.architecture", "sigma").integer("sigma.block_count", number("num_hidden_layers"));
  builder.integer("sigma.context_length", 512).integer("sigma.embedding_length", number("hidden_size"));
  builder.integer("sigma.feed_forward_length", number("intermediate_size"));
  builder.number("sigma.rope.freq_base", config["rope_theta"]);
  builder.number("sigma.attention.layer_norm_rms_epsilon", config["rms_norm_eps"]);
  builder.integer("sigma.attention.head_count", number("num_attention_heads"));
  builder.integer("sigma.attention.head_count_k", number("num_key_heads"));
  builder.integer("sigma.attention.head_count_v", number("num_value_heads"));
  builder.integer("sigma.attention.query_length", number("head_dim"));
  builder.integer("sigma.attention.key_length", width("key_head_dim"));
  builder.integer("sigma.attention.value_length", width("value_head_dim"));
  if (config["q_augmentation"].is_number()) {
    builder.integer("sigma.attention.augmented_query_length", number("q_augmentation"));
  }
  const Tensors weights(folder / "model.safetensors");
  for (const auto& [name, tensor] : weights.header().items()) {
    if (name == "__metadata__") continue;
    std::vector<std::uint64_t> dimensions(tensor["shape"].rbegin(), tensor["shape"].rend());
    const DType dtype = tensor["dtype"] == "F32" ? DType::kF32 : DType::kBF16;
    builder.tensor(gguf_name(name), dtype, dimensions, weights.bytes(name));
  }
  return builder.build();
}

// Logits of `rows` of one pass over `ids`, in chunks.
std::vector<float> logits_of(Transformer& model, KvPool& pool, std::span<const TokenId> ids,
                             std::span<const std::int32_t> rows, std::size_t chunk,
                             const OpContext& context) {
  KvSequence kv(pool);
  std::vector<float> logits;
  for (std::size_t first = 0; first < ids.size(); first += chunk) {
    const std::size_t count = std::min(chunk, ids.size() - first);
    std::vector<std::int32_t> wanted;
    for (const std::int32_t row : rows) {
      if (row >= static_cast<std::int32_t>(first) && row < static_cast<std::int32_t>(first + count)) {
        wanted.push_back(row - static_cast<std::int32_t>(first));
      }
    }
    const ForwardSlice slice{&kv, ids.subspan(first, count)};
    const std::span<const float> hidden = model.forward({&slice, 1}, wanted, context);
    const std::size_t before = logits.size(), width = model.head().outputs();
    logits.resize(before + wanted.size() * width);
    if (!wanted.empty()) model.head().apply(hidden, std::span(logits).subspan(before), context);
  }
  return logits;
}

TEST_CASE("DiffQKV checkpoints give their expected logits", "[diffqkv]") {
  const auto root = shared_path("vectors/sigma");
  if (!root) return;
  std::size_t models = 0;
  for (const auto& entry : std::filesystem::directory_iterator(*root)) {
    if (!std::filesystem::exists(entry.path() / "expected.safetensors")) continue;
    const std::string bytes = as_gguf(entry.path());
    const GgufFile file(std::as_bytes(std::span(bytes.data(), bytes.size())),
                        entry.path().filename().string());
    INFO(file.name());
    const ModelConfig config = config_from(file);
    const double tolerance = config.augmented_q > 0 ? 2e-3 : 2e-4;
    const OpFixture fixture(best_isa());
    Transformer model(config, read_weights(file, config, Numerics::kFp32, *fixture));
    KvPool pool(Transformer::kv_layout(config, Numerics::kFp32), config.layers, 64 << 20);
    const Tensors expected(entry.path() / "expected.safetensors");
    for (const char* n : {"1", "17", "200"}) {
      const auto ids = expected.values<TokenId>("ids_" + std::string(n));
      std::vector<std::int32_t> rows(ids.size());
      for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::int32_t>(i);
      if (ids.size() == 200) rows = expected.values<std::int32_t>("rows_200");
      const auto logits = expected.values<float>("logits_" + std::string(n));
      const std::vector<float> ours = logits_of(model, pool, ids, rows, 512, *fixture);
      REQUIRE(ours.size() == logits.size());
      double worst = 0;
      for (std::size_t i = 0; i < ours.size(); ++i)
        worst = std::max(worst, double{std::abs(ours[i] - logits[i])});
      CHECK(worst < tolerance);
      CHECK(logits_of(model, pool, ids, rows, 7, *fixture) == ours);
    }
    ++models;
  }
  CHECK(models >= 15);
}

}  // namespace
}  // namespace micius
