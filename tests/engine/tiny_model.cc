#include "engine/tiny_model.h"

#include <fmt/format.h>
#include <unistd.h>

#include "base/files.h"
#include "base/rng.h"
#include "engine/gguf_builder.h"
#include "engine/tokenizer/byte_level.h"

namespace micius {
namespace {

// Uniform in (-scale, scale), as F32.
std::string random_matrix(std::size_t values, double scale, const std::string& name) {
  Rng rng("tiny model/" + name);
  std::string bytes;
  for (std::size_t i = 0; i < values; ++i) {
    const auto value = static_cast<float>(scale * (2 * rng.uniform() - 1));
    bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  return bytes;
}

std::string ones(std::size_t values) {
  const float one = 1;
  std::string bytes;
  for (std::size_t i = 0; i < values; ++i) bytes.append(reinterpret_cast<const char*>(&one), sizeof one);
  return bytes;
}

void add_vocabulary(GgufBuilder& builder) {
  std::vector<std::string> tokens;
  std::vector<std::int32_t> kinds(kTinyVocabulary, 3);
  for (int byte = 0; byte < 256; ++byte) {
    tokens.push_back(byte_level_character(static_cast<unsigned char>(byte)));
    kinds[byte] = 1;
  }
  tokens.insert(tokens.end(), {"<|im_start|>", "<|im_end|>"});
  while (tokens.size() < kTinyVocabulary) tokens.push_back(fmt::format("<|{}|>", tokens.size()));
  builder.string("tokenizer.ggml.model", "gpt2").string("tokenizer.ggml.pre", "gpt-2");
  builder.strings("tokenizer.ggml.tokens", tokens).integers("tokenizer.ggml.token_type", kinds);
  builder.strings("tokenizer.ggml.merges", {});
  builder.integer("tokenizer.ggml.bos_token_id", 256).integer("tokenizer.ggml.eos_token_id", 257);
  builder.string("tokenizer.chat_template",
                 "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('no system') }}"
                 "{% endif %}[{{ m['role'] }}]{{ m['content'] }}\n{% endfor %}"
                 "{% if add_generation_prompt %}[assistant]{% endif %}");
}

}  // namespace

TinyModel::TinyModel(const std::function<void(std::string&)>& change) {
  constexpr std::size_t kHidden = 32, kFfn = 64, kQ = 4 * 8, kKv = 2 * 8;
  GgufBuilder builder;
  builder.string("general.architecture", "llama").string("general.name", "tiny");
  builder.integer("llama.block_count", 2).integer("llama.context_length", kTinyContext);
  builder.integer("llama.embedding_length", kHidden).integer("llama.feed_forward_length", kFfn);
  builder.integer("llama.attention.head_count", 4).integer("llama.attention.head_count_kv", 2);
  builder.number("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  add_vocabulary(builder);
  const auto matrix = [&](const std::string& name, std::size_t rows, std::size_t cols, double scale) {
    builder.tensor(name, DType::kF32, {cols, rows}, random_matrix(rows * cols, scale, name));
  };
  matrix("token_embd.weight", kTinyVocabulary, kHidden, 1.5);
  builder.tensor("output_norm.weight", DType::kF32, {kHidden}, ones(kHidden));
  for (const char* layer : {"blk.0.", "blk.1."}) {
    const std::string prefix = layer;
    builder.tensor(prefix + "attn_norm.weight", DType::kF32, {kHidden}, ones(kHidden));
    builder.tensor(prefix + "ffn_norm.weight", DType::kF32, {kHidden}, ones(kHidden));
    matrix(prefix + "attn_q.weight", kQ, kHidden, 0.4);
    matrix(prefix + "attn_k.weight", kKv, kHidden, 0.4);
    matrix(prefix + "attn_v.weight", kKv, kHidden, 0.4);
    matrix(prefix + "attn_output.weight", kHidden, kQ, 0.4);
    matrix(prefix + "ffn_gate.weight", kFfn, kHidden, 0.4);
    matrix(prefix + "ffn_up.weight", kFfn, kHidden, 0.4);
    matrix(prefix + "ffn_down.weight", kHidden, kFfn, 0.3);
  }
  path_ = std::filesystem::temp_directory_path() /
          fmt::format("micius-tiny-{}-{}.gguf", getpid(), fmt::ptr(this));
  std::string bytes = builder.build();
  if (change) change(bytes);
  write_file_atomic(path_, bytes);
}

TinyModel::~TinyModel() { std::filesystem::remove(path_); }

}  // namespace micius
