#include "engine/tiny_encoder.h"

#include <atomic>

#include <fmt/format.h>
#include <unistd.h>

#include "base/files.h"
#include "engine/op_fixture.h"
#include "engine/safetensors_builder.h"

namespace micius {
namespace {

constexpr std::size_t kLayers = 2, kTokens = 5 + 26 + 26 + 10;

std::string vocabulary() {
  std::string text = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\n";
  for (char c = 'a'; c <= 'z'; ++c) text += std::string(1, c) + "\n##" + c + "\n";
  for (char c = '0'; c <= '9'; ++c) text += std::string(1, c) + "\n";
  return text;
}

class Weights {
 public:
  void matrix(const std::string& name, std::size_t rows, std::size_t cols) {
    builder_.floats(name, {rows, cols}, scaled(random_floats(rows * cols, "tiny encoder/" + name), 0.2F));
  }
  void vector(const std::string& name, std::size_t size, float middle) {
    std::vector<float> values = scaled(random_floats(size, "tiny encoder/" + name), 0.1F);
    for (float& value : values) value += middle;
    builder_.floats(name, {size}, values);
  }
  void linear(const std::string& name, std::size_t rows, std::size_t cols) {
    matrix(name + ".weight", rows, cols);
    vector(name + ".bias", rows, 0);
  }
  void norm(const std::string& name, std::size_t size) {
    vector(name + ".weight", size, 1);
    vector(name + ".bias", size, 0);
  }
  std::string build() const { return builder_.build(); }

 private:
  static std::vector<float> scaled(std::vector<float> values, float factor) {
    for (float& value : values) value *= factor;
    return values;
  }
  SafetensorsBuilder builder_;
};

std::string weights(const TinyEncoderShape& shape) {
  const std::size_t hidden = shape.hidden;
  Weights w;
  w.matrix("embeddings.word_embeddings.weight", kTokens, hidden);
  w.matrix("embeddings.position_embeddings.weight", 2 * shape.most_tokens, hidden);
  w.matrix("embeddings.token_type_embeddings.weight", 2, hidden);
  w.norm("embeddings.LayerNorm", hidden);
  for (std::size_t i = 0; i < kLayers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i) + ".";
    for (const char* part : {"query", "key", "value"}) {
      w.linear(layer + "attention.self." + part, hidden, hidden);
    }
    w.linear(layer + "attention.output.dense", hidden, hidden);
    w.norm(layer + "attention.output.LayerNorm", hidden);
    w.linear(layer + "intermediate.dense", shape.ffn, hidden);
    w.linear(layer + "output.dense", hidden, shape.ffn);
    w.norm(layer + "output.LayerNorm", hidden);
  }
  return w.build();
}

std::string config(const TinyEncoderShape& shape) {
  return fmt::format(
      R"({{"model_type": "bert", "hidden_act": "gelu", "hidden_size": {}, "intermediate_size": {},
    "num_hidden_layers": {}, "num_attention_heads": {}, "max_position_embeddings": {}, "type_vocab_size": 2,
    "vocab_size": {}, "layer_norm_eps": 1e-12}})",
      shape.hidden, shape.ffn, kLayers, shape.heads, 2 * shape.most_tokens, kTokens);
}

}  // namespace

TinyEncoder::TinyEncoder(const TinyEncoderShape& shape) {
  static std::atomic<int> count{0};
  folder_ = std::filesystem::temp_directory_path() /
            ("micius-encoder-" + std::to_string(::getpid()) + "-" + std::to_string(++count));
  std::filesystem::create_directories(folder_ / "1_Pooling");
  write("config.json", config(shape));
  write("tokenizer_config.json", R"({"do_lower_case": true})");
  write("sentence_bert_config.json", fmt::format(R"({{"max_seq_length": {}}})", shape.most_tokens));
  write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens": true})");
  write("vocab.txt", vocabulary());
  write("model.safetensors", weights(shape));
}

TinyEncoder::~TinyEncoder() { std::filesystem::remove_all(folder_); }

void TinyEncoder::write(std::string_view file, std::string_view bytes) const {
  write_file_atomic(folder_ / file, bytes);
}

}  // namespace micius
