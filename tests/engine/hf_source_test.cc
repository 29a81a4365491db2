// Folders as Hugging Face's libraries write them: what is read, and what is refused with its place.
#include "engine/model/hf_source.h"

#include <cstring>
#include <functional>
#include <limits>
#include <string>

#include <catch2/catch.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "engine/convert.h"
#include "engine/model/config.h"
#include "engine/model/gguf_source.h"
#include "engine/model/weights.h"
#include "engine/op_fixture.h"
#include "engine/safetensors_builder.h"
#include "temp_dir.h"

namespace micius {
namespace {

constexpr std::size_t kHidden = 8, kFfn = 12, kVocabulary = 5;

Json llama_config() {
  return Json::parse(R"({"model_type": "llama", "hidden_size": 8, "intermediate_size": 12,
    "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 1,
    "max_position_embeddings": 32, "rms_norm_eps": 1e-5, "vocab_size": 5})");
}

std::string llama_weights() {
  SafetensorsBuilder weights;
  const auto add = [&](const std::string& name, const std::vector<std::size_t>& shape) {
    std::size_t count = 1;
    for (const std::size_t size : shape) count *= size;
    weights.floats(name, shape, random_floats(count, "hf source/" + name));
  };
  add("model.embed_tokens.weight", {kVocabulary, kHidden});
  add("model.norm.weight", {kHidden});
  add("lm_head.weight", {kVocabulary, kHidden});
  const std::string layer = "model.layers.0.";
  add(layer + "input_layernorm.weight", {kHidden});
  add(layer + "post_attention_layernorm.weight", {kHidden});
  add(layer + "self_attn.q_proj.weight", {8, kHidden});
  add(layer + "self_attn.k_proj.weight", {4, kHidden});
  add(layer + "self_attn.v_proj.weight", {4, kHidden});
  add(layer + "self_attn.o_proj.weight", {kHidden, 8});
  add(layer + "self_attn.rotary_emb.inv_freq", {2});
  add(layer + "mlp.gate_proj.weight", {kFfn, kHidden});
  add(layer + "mlp.up_proj.weight", {kFfn, kHidden});
  add(layer + "mlp.down_proj.weight", {kHidden, kFfn});
  return weights.build();
}

class Folder {
 public:
  explicit Folder(const Json& config, const std::function<void(std::string&)>& change = nullptr) {
    std::string weights = llama_weights();
    if (change) change(weights);
    write_file_atomic(dir_.path() / "config.json", config.dump());
    write_file_atomic(dir_.path() / "model.safetensors", weights);
  }
  const std::filesystem::path& path() const { return dir_.path(); }

 private:
  TempDir dir_;
};

void load(const Json& config) {
  const Folder folder(config);
  const HfSource source(folder.path());
  const OpFixture fixture(Isa::kPlain);
  read_weights(source, config_from(source), Numerics::kFp32, *fixture);
}

TEST_CASE("A folder's numbers and tensors have GGUF's names", "[hf]") {
  const Folder folder(llama_config());
  const HfSource source(folder.path());
  CHECK(source.architecture() == "llama");
  CHECK(source.integer_if("attention.head_count_kv") == 1);
  CHECK(source.integer_if("attention.key_length") == std::nullopt);
  CHECK(source.key_name("embedding_length") == "hidden_size");
  CHECK(source.tensor_name("blk.12.ffn_down.weight") == "model.layers.12.mlp.down_proj.weight");
  CHECK(source.tensors().size() == 12);  // all but the frequencies
  const ModelConfig config = config_from(source);
  CHECK(config.attention.d_k == 4);
  CHECK(config.vocabulary == kVocabulary);
  CHECK_FALSE(config.tied_head);
}

TEST_CASE("q and k rows of a folder stand in GGUF's order in a llama file", "[hf][convert]") {
  Json config = llama_config();
  config["head_dim"] = 4;
  const Folder folder(config);
  const HfSource source(folder.path());
  ThreadPool pool(1);
  std::string file;
  write_gguf(source, std::nullopt, pool, [&](std::string_view piece) { file += piece; });
  const GgufSource gguf(GgufFile(std::as_bytes(std::span(file.data(), file.size())), "x.gguf"));
  const MatrixView before = source.tensor("blk.0.attn_q.weight"), after = gguf.tensor("blk.0.attn_q.weight");
  const std::vector<std::size_t> order = {0, 2, 1, 3, 4, 6, 5, 7};  // two heads of 4: halves side by side
  for (std::size_t row = 0; row < order.size(); ++row) {
    CHECK(std::memcmp(after.data + row * kHidden * 4, before.data + order[row] * kHidden * 4, kHidden * 4) ==
          0);
  }
  CHECK(gguf.integer_if("attention.key_length") == 4);
  CHECK(config_from(gguf).norm_epsilon == config_from(source).norm_epsilon);
}

TEST_CASE("A value that is no number is not written", "[hf][convert]") {
  const Folder folder(llama_config(), [](std::string& weights) {
    const float nan = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(weights.data() + weights.size() - 4, &nan, 4);  // of the last tensor
  });
  ThreadPool pool(1);
  CHECK_THROWS_WITH(
      write_gguf(HfSource(folder.path()), DType::kF16, pool, [](std::string_view) {}),
      Catch::Contains("tensor 'model.layers.0.mlp.down_proj.weight', row 7: a value is not finite"));
}

TEST_CASE("A head that is the embedding is not read a second time", "[hf]") {
  Json config = llama_config();
  config["tie_word_embeddings"] = true;
  const Folder folder(config);
  CHECK(config_from(HfSource(folder.path())).tied_head);
}

TEST_CASE("What a folder lacks or the engine does not run is named", "[hf]") {
  struct Case {
    std::string field;
    Json value;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"model_type", "mamba", "field 'model_type' is 'mamba'"},
      {"model_type", nullptr, "'model_type'"},
      {"hidden_act", "relu", "field 'hidden_act' is 'relu'"},
      {"quantization_config", Json::object(), "field 'quantization_config' is set"},
      {"num_hidden_layers", nullptr, "key 'num_hidden_layers' is missing"},
      {"num_hidden_layers", "one", "field 'num_hidden_layers': expected a whole number"},
      {"num_hidden_layers", 2, "tensor 'model.layers.1.self_attn.q_proj.weight' is missing"},
      {"num_attention_heads", 3, "key 'num_attention_heads': expected a divisor"},
      {"intermediate_size", 16, "tensor 'model.layers.0.mlp.gate_proj.weight' is [12, 8]"},
      {"rms_norm_eps", "small", "field 'rms_norm_eps': expected a number"},
      {"rms_norm_eps", 0, "key 'rms_norm_eps': expected a number above 0"},
  };
  CHECK_NOTHROW(load(llama_config()));
  for (const Case& c : cases) {
    INFO(c.field << ": " << c.value);
    Json config = llama_config();
    config[c.field] = c.value;
    CHECK_THROWS_WITH(load(config), Catch::Contains(c.message));
  }
  const TempDir empty;
  CHECK_THROWS_WITH(HfSource(empty.path()), Catch::Contains("there is no config.json in it"));
}

}  // namespace
}  // namespace micius
