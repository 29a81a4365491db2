#include "engine/model/hf_source.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>
#include <span>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/tokenizer/tokenizer_folder.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

struct Name {
  std::string_view gguf, hf;
};

// Fields of config.json. The first that is there counts.
constexpr Name kKeys[] = {{"block_count", "num_hidden_layers"},
                          {"context_length", "max_position_embeddings"},
                          {"embedding_length", "hidden_size"},
                          {"feed_forward_length", "intermediate_size"},
                          {"vocab_size", "vocab_size"},
                          {"rope.freq_base", "rope_theta"},
                          {"rope.freq_base", "rope_parameters.rope_theta"},
                          {"attention.layer_norm_rms_epsilon", "rms_norm_eps"},
                          {"attention.head_count", "num_attention_heads"}};
constexpr Name kLlamaKeys[] = {{"attention.head_count_kv", "num_key_value_heads"},
                               {"attention.key_length", "head_dim"},
                               {"attention.value_length", "head_dim"}};
constexpr Name kSigmaKeys[] = {
    {"attention.head_count_k", "num_key_heads"}, {"attention.head_count_v", "num_value_heads"},
    {"attention.query_length", "head_dim"},      {"attention.key_length", "key_head_dim"},
    {"attention.key_length", "head_dim"},        {"attention.value_length", "value_head_dim"},
    {"attention.value_length", "head_dim"},      {"attention.augmented_query_length", "q_augmentation"}};

std::span<const Name> keys_of(std::string_view architecture) {
  return architecture == "sigma" ? std::span<const Name>(kSigmaKeys) : kLlamaKeys;
}

// Of RoPE's scaling, in both of the forms that the libraries have written.
constexpr Name kRopeKeys[] = {
    {"rope.scaling.type", "rope_scaling.rope_type"},
    {"rope.scaling.type", "rope_scaling.type"},
    {"rope.scaling.type", "rope_parameters.rope_type"},
    {"rope.scaling.factor", "rope_scaling.factor"},
    {"rope.scaling.factor", "rope_parameters.factor"},
    {"rope.scaling.low_freq_factor", "rope_scaling.low_freq_factor"},
    {"rope.scaling.low_freq_factor", "rope_parameters.low_freq_factor"},
    {"rope.scaling.high_freq_factor", "rope_scaling.high_freq_factor"},
    {"rope.scaling.high_freq_factor", "rope_parameters.high_freq_factor"},
    {"rope.scaling.original_context_length", "rope_scaling.original_max_position_embeddings"},
    {"rope.scaling.original_context_length", "rope_parameters.original_max_position_embeddings"}};

// GGUF has them as floats; JSON may write them without a fraction.
bool is_float(std::string_view key) {
  return key == "rope.freq_base" || key == "attention.layer_norm_rms_epsilon";
}

constexpr Name kTensors[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}};

// Of a layer: "blk.0.X" is "model.layers.0.Y".
constexpr std::string_view kGgufLayer = "blk.", kHfLayer = "model.layers.";
constexpr Name kLayerTensors[] = {
    {"attn_norm", "input_layernorm"},     {"attn_q", "self_attn.q_proj"},
    {"attn_k", "self_attn.k_proj"},       {"attn_v", "self_attn.v_proj"},
    {"attn_output", "self_attn.o_proj"},  {"attn_q_gate", "self_attn.q_gate_proj"},
    {"attn_q_norm", "self_attn.q_norm"},  {"attn_k_norm", "self_attn.k_norm"},
    {"attn_q_up", "self_attn.q_up_proj"}, {"attn_q_down", "self_attn.q_down_proj"},
    {"attn_k_up", "self_attn.k_up_proj"}, {"ffn_norm", "post_attention_layernorm"},
    {"ffn_gate", "mlp.gate_proj"},        {"ffn_up", "mlp.up_proj"},
    {"ffn_down", "mlp.down_proj"}};

enum class Direction { kToGguf, kToHf };

// The name in the other convention; as it is if it has none there.
std::string renamed(std::string_view name, Direction direction) {
  const auto from = [&](const Name& row) { return direction == Direction::kToGguf ? row.hf : row.gguf; };
  const auto to = [&](const Name& row) { return direction == Direction::kToGguf ? row.gguf : row.hf; };
  const std::size_t ending = name.rfind('.');
  if (ending == std::string_view::npos) return std::string(name);
  const std::string_view stem = name.substr(0, ending), suffix = name.substr(ending);
  for (const Name& row : kTensors) {
    if (stem == from(row)) return std::string(to(row)) + std::string(suffix);
  }
  const Name layer{kGgufLayer, kHfLayer};
  if (!stem.starts_with(from(layer))) return std::string(name);
  const std::size_t number = from(layer).size(), dot = stem.find('.', number);
  if (dot == std::string_view::npos) return std::string(name);
  for (const Name& row : kLayerTensors) {
    if (stem.substr(dot + 1) != from(row)) continue;
    return fmt::format("{}{}.{}{}", to(layer), stem.substr(number, dot - number), to(row), suffix);
  }
  return std::string(name);
}

// Old files keep the frequencies of RoPE, which follow from the config.
bool is_derived(std::string_view tensor) { return tensor.ends_with(".rotary_emb.inv_freq"); }

std::string architecture_from(const JsonFields& fields) {
  constexpr Name kModelTypes[] = {
      {"llama", "llama"}, {"llama", "mistral"}, {"qwen2", "qwen2"}, {"qwen3", "qwen3"}, {"sigma", "sigma"}};
  const std::string type = fields.string("model_type");
  for (const Name& row : kModelTypes) {
    if (type == row.hf) return std::string(row.gguf);
  }
  fail(ErrorCode::kUnsupported,
       "{}: field 'model_type' is '{}', which the engine does not run; it runs llama, mistral, qwen2, qwen3 "
       "and sigma",
       fields.where(), shorten(to_valid_utf8(type), 100));
}

// Settings that change the answer and have one value that the engine runs.
void check_settings(const JsonFields& fields) {
  const std::string act = fields.string_or("hidden_act", "silu");
  if (act != "silu") {
    fail(ErrorCode::kUnsupported, "{}: field 'hidden_act' is '{}'; the engine runs 'silu'", fields.where(),
         shorten(to_valid_utf8(act), 100));
  }
  const bool windowed = fields.boolean_or("use_sliding_window", true) && fields.has("sliding_window");
  for (const auto& [field, set] :
       {std::pair{"quantization_config", fields.has("quantization_config")}, {"sliding_window", windowed}}) {
    if (!set) continue;
    fail(ErrorCode::kUnsupported, "{}: field '{}' is set, which the engine does not do; use a model without",
         fields.where(), field);
  }
}

Json read_config(const fs::path& folder) {
  const fs::path path = folder / "config.json";
  if (!fs::exists(path)) {
    fail(ErrorCode::kNotFound,
         "{}: there is no config.json in it; a model is a GGUF file or a folder with "
         "config.json and model.safetensors",
         folder.string());
  }
  return parse_json(read_file(path), path.string());
}

}  // namespace

HfSource::HfSource(const fs::path& folder)
    : file_((folder / "config.json").string()), config_(read_config(folder)), weights_(folder) {
  const JsonFields fields(config_, file_);
  label_ = fields.string_or("_name_or_path", "");
  architecture_ = architecture_from(fields);
  check_settings(fields);
  add_rope_factors();
  const bool tied = fields.boolean_or("tie_word_embeddings", false);
  for (const SafetensorsTensor& tensor : weights_.tensors()) {
    if (is_derived(tensor.name) || (tied && tensor.name == "lm_head.weight")) continue;
    const auto [place, added] =
        tensors_.emplace(renamed(tensor.name, Direction::kToGguf), weights_.matrix(tensor.name));
    if (!added) {
      fail(ErrorCode::kInvalidData, "{}: tensor '{}' is there twice, once under the name '{}'",
           weights_.name(), shorten(to_valid_utf8(tensor.name), 100), place->first);
    }
  }
}

std::vector<std::string_view> HfSource::fields_of(std::string_view key) const {
  std::vector<std::string_view> fields;
  for (const std::span<const Name> rows :
       {std::span<const Name>(kKeys), keys_of(architecture_), std::span<const Name>(kRopeKeys)}) {
    for (const Name& row : rows) {
      if (row.gguf == key) fields.push_back(row.hf);
    }
  }
  return fields;
}

std::vector<fs::path> HfSource::files() const {
  std::vector<fs::path> files{file_};
  files.insert(files.end(), weights_.files().begin(), weights_.files().end());
  for (const char* name :
       {"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "chat_template.jinja"}) {
    if (const fs::path file = fs::path(file_).parent_path() / name; fs::exists(file)) files.push_back(file);
  }
  return files;
}

const Json* HfSource::value(std::string_view key) const {
  for (const std::string_view field : fields_of(key)) {
    const Json* found = find_json(config_, field);
    if (found != nullptr && !found->is_null()) return found;
  }
  return nullptr;
}

std::optional<std::uint64_t> HfSource::integer_if(std::string_view key) const {
  const Json* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number_unsigned()) {
    fail(ErrorCode::kInvalidData, "{}: field '{}': expected a whole number that is not negative", file_,
         key_name(key));
  }
  return found->get<std::uint64_t>();
}

std::optional<double> HfSource::number_if(std::string_view key) const {
  const Json* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_number())
    fail(ErrorCode::kInvalidData, "{}: field '{}': expected a number", file_, key_name(key));
  return found->get<double>();
}

std::optional<std::string> HfSource::string_if(std::string_view key) const {
  const Json* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_string())
    fail(ErrorCode::kInvalidData, "{}: field '{}': expected a text", file_, key_name(key));
  return found->get<std::string>();
}

std::string HfSource::key_name(std::string_view key) const {
  const std::vector<std::string_view> fields = fields_of(key);
  for (const std::string_view field : fields) {
    if (find_json(config_, field) != nullptr) return std::string(field);
  }
  return std::string(fields.empty() ? key : fields.front());
}

// Llama 3.1: slow frequencies are divided by `factor`, fast ones stay, those between go over (transformers,
// modeling_rope_utils, "llama3").
void HfSource::add_rope_factors() {
  if (string_if("rope.scaling.type").value_or("") != "llama3") return;
  const auto number = [&](std::string_view key) {
    const auto value = number_if(key);
    if (value && std::isfinite(*value) && *value > 0) return *value;
    fail(ErrorCode::kInvalidData, "{}: field '{}': expected a number above 0", file_, key_name(key));
  };
  const double base = number("rope.freq_base"), factor = number("rope.scaling.factor");
  const double low = number("rope.scaling.low_freq_factor"), high = number("rope.scaling.high_freq_factor");
  const double context = number("rope.scaling.original_context_length");
  const double dim = std::floor(number_if("attention.key_length")
                                    .value_or(number("embedding_length") / number("attention.head_count")));
  constexpr double kMaxDim = 65536;
  for (double j = 0; j < std::min(dim, kMaxDim) / 2; ++j) {
    const double frequency = std::pow(base, -2 * j / dim);
    const double turns = context * frequency / (2 * std::numbers::pi);  // within the original context
    const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    rope_factors_.push_back(static_cast<float>(1 / ((1 - kept) / factor + kept)));
  }
  tensors_.emplace("rope_freqs.weight", MatrixView{DType::kF32, 1, rope_factors_.size(),
                                                   reinterpret_cast<const std::byte*>(rope_factors_.data())});
}

void HfSource::describe(GgufWriter& writer) const {
  writer.string("general.architecture", architecture_);
  if (!label_.empty()) writer.string("general.name", label_);
  std::set<std::string_view> done;
  for (const std::span<const Name> rows : {std::span<const Name>(kKeys), keys_of(architecture_)}) {
    for (const auto& [key, field] : rows) {
      if (value(key) == nullptr || !done.insert(key).second) continue;
      const std::string full = architecture_ + "." + std::string(key);
      if (is_float(key)) {
        writer.number(full, static_cast<float>(*number_if(key)));
      } else {
        writer.integer(full, static_cast<std::uint32_t>(*integer_if(key)));
      }
    }
  }
  if (string_if("rope.scaling.type").value_or("") == "linear") {
    writer.string(architecture_ + ".rope.scaling.type", "linear");
    writer.number(architecture_ + ".rope.scaling.factor",
                  static_cast<float>(number_if("rope.scaling.factor").value_or(1)));
  }
}

TokenizerData HfSource::tokenizer() const { return read_tokenizer(fs::path(file_).parent_path()); }

std::string HfSource::chat_template() const { return read_chat_template(fs::path(file_).parent_path()); }

std::string HfSource::tensor_name(std::string_view name) const { return renamed(name, Direction::kToHf); }

}  // namespace micius
