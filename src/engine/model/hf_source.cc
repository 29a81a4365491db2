#include "engine/model/hf_source.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "engine/gguf_tokenizer.h"
#include "engine/model/hf_names.h"
#include "engine/quant.h"
#include "engine/tokenizer/tokenizer_folder.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

// Of the keys, those that GGUF has as floats; JSON may write them without a fraction.
bool is_float(std::string_view key) {
  return key.starts_with("rope.freq_base") || key == "attention.layer_norm_rms_epsilon";
}

constexpr std::string_view kScoreScale = "query_pre_attn_scalar";  // of scores: 1 / its root

std::vector<float> widened(const MatrixView& view, float plus) {
  std::vector<float> values(view.rows * view.cols);
  dequantize(view.dtype, view.data, values);
  for (float& value : values) value += plus;
  return values;
}

// Old files keep the frequencies of RoPE, which follow from the config.
bool is_derived(std::string_view tensor) { return tensor.ends_with(".rotary_emb.inv_freq"); }

std::string architecture_from(const JsonFields& fields) {
  struct ModelType {
    std::string_view name, architecture;
  };
  constexpr ModelType kModelTypes[] = {{"llama", "llama"}, {"mistral", "llama"},      {"qwen2", "qwen2"},
                                       {"qwen3", "qwen3"}, {"gemma3_text", "gemma3"}, {"sigma", "sigma"}};
  const std::string name = fields.string("model_type");
  std::string names;
  for (const ModelType& type : kModelTypes) {
    if (type.name == name) return std::string(type.architecture);
    names.append(names.empty() ? "" : ", ").append(type.name);
  }
  fail(ErrorCode::kUnsupported, "{}: field 'model_type' is '{}', which the engine does not run; it runs {}",
       fields.where(), shorten(to_valid_utf8(name), 100), names);
}

// Settings that change the answer and have one value that the engine runs.
void check_settings(const JsonFields& fields, std::string_view architecture) {
  const std::string wanted = architecture == "gemma3" ? "gelu_pytorch_tanh" : "silu";
  const char* field = architecture == "gemma3" ? "hidden_activation" : "hidden_act";
  if (const std::string act = fields.string_or(field, wanted); act != wanted) {
    fail(ErrorCode::kUnsupported, "{}: field '{}' is '{}'; the engine runs '{}'", fields.where(), field,
         shorten(to_valid_utf8(act), 100), wanted);
  }
  std::vector<std::string_view> unset = {"quantization_config", "attn_logit_softcapping",
                                         "final_logit_softcapping"};
  if (fields.boolean_or("use_sliding_window", false)) unset.emplace_back("sliding_window");
  for (const std::string_view name : unset) {
    if (!fields.has(name)) continue;
    fail(ErrorCode::kUnsupported, "{}: field '{}' is set, which the engine does not do; use a model without",
         fields.where(), name);
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
  check_settings(fields, architecture_);
  const bool tied = fields.boolean_or("tie_word_embeddings", false);
  if (architecture_ == "gemma3" && fields.has("layer_types")) read_layer_types();
  for (const SafetensorsTensor& tensor : weights_.tensors()) {
    if (is_derived(tensor.name) || (tied && tensor.name == "lm_head.weight")) continue;
    const std::string name = gguf_tensor_name(architecture_, tensor.name);
    if (!tensors_.emplace(name, weights_.matrix(tensor.name)).second) {
      fail(ErrorCode::kInvalidData, "{}: tensor '{}' is there twice, once under the name '{}'",
           weights_.name(), shorten(to_valid_utf8(tensor.name), 100), name);
    }
  }
  if (architecture_ == "gemma3") raise_norms();
  add_rope_factors();
}

// A list of the layers' kinds, as newer files have it, to the number that older ones have.
void HfSource::read_layer_types() {
  const Json& types = config_["layer_types"];
  const auto is_full = [](const Json& type) { return type == "full_attention"; };
  const auto first = std::find_if(types.begin(), types.end(), is_full);
  const auto period = static_cast<std::size_t>(first - types.begin()) + 1;
  for (std::size_t i = 0; i < types.size(); ++i) {
    const bool full = (i + 1) % period == 0;
    if (is_full(types[i]) == full && (full || types[i] == "sliding_attention")) continue;
    fail(ErrorCode::kUnsupported,
         "{}: field 'layer_types': the engine runs models of which each n-th layer has full attention",
         file_);
  }
  config_["sliding_window_pattern"] = period;
}

// Gemma's norms multiply by 1 + w.
void HfSource::raise_norms() {
  for (auto& [name, view] : tensors_) {
    if (name.ends_with("norm.weight")) view = made(widened(view, 1));
  }
}

MatrixView HfSource::made(std::vector<float> values) {
  made_.push_back(std::move(values));
  return {DType::kF32, 1, made_.back().size(), reinterpret_cast<const std::byte*>(made_.back().data())};
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
  for (const std::string& field : hf_fields(architecture_, key)) {
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
  if (key == "attention.scale") {
    const JsonFields fields(config_, file_);
    if (!fields.has(kScoreScale)) return std::nullopt;
    return 1 / std::sqrt(fields.number(kScoreScale));
  }
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
  const std::vector<std::string> fields = hf_fields(architecture_, key);
  for (const std::string& field : fields) {
    if (find_json(config_, field) != nullptr) return field;
  }
  return fields.empty() ? std::string(key) : fields.front();
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
  std::vector<float> factors;
  for (double j = 0; j < std::min(dim, kMaxDim) / 2; ++j) {
    const double frequency = std::pow(base, -2 * j / dim);
    const double turns = context * frequency / (2 * std::numbers::pi);  // within the original context
    const double kept = std::clamp((turns - low) / (high - low), 0.0, 1.0);
    factors.push_back(static_cast<float>(1 / ((1 - kept) / factor + kept)));
  }
  tensors_.emplace("rope_freqs.weight", made(std::move(factors)));
}

void HfSource::describe(GgufWriter& writer) const {
  write_tokenizer(tokenizer(), writer);
  if (const std::string source = chat_template(); !source.empty())
    writer.string("tokenizer.chat_template", source);
  writer.string("general.architecture", architecture_);
  if (!label_.empty()) writer.string("general.name", label_);
  for (const std::string_view key : gguf_keys(architecture_)) {
    const std::string full = architecture_ + "." + std::string(key);
    if (value(key) == nullptr) continue;
    if (is_float(key)) {
      writer.number(full, static_cast<float>(*number_if(key)));
    } else {
      writer.integer(full, static_cast<std::uint32_t>(*integer_if(key)));
    }
  }
  if (const auto scale = number_if("attention.scale")) {
    writer.number(architecture_ + ".attention.scale", static_cast<float>(*scale));
  }
  if (string_if("rope.scaling.type").value_or("") == "linear") {
    writer.string(architecture_ + ".rope.scaling.type", "linear");
    writer.number(architecture_ + ".rope.scaling.factor",
                  static_cast<float>(number_if("rope.scaling.factor").value_or(1)));
  }
}

TokenizerData HfSource::tokenizer() const {
  const fs::path folder = fs::path(file_).parent_path();
  if (fs::exists(folder / "tokenizer.json") || fs::exists(folder / "tokenizer.model"))
    return read_tokenizer(folder);
  TokenizerData none;
  none.model = kNoTokenizer;
  return none;
}

std::string HfSource::chat_template() const { return read_chat_template(fs::path(file_).parent_path()); }

std::string HfSource::tensor_name(std::string_view name) const { return hf_tensor_name(architecture_, name); }

}  // namespace micius
