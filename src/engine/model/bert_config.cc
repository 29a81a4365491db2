#include "engine/model/bert_config.h"

#include <cmath>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSize = std::int64_t{1} << 24;  // above any model

std::size_t size_of(const JsonFields& fields, std::string_view key) {
  const std::int64_t value = fields.integer(key);
  if (value < 1 || value > kMaxSize) {
    fail(ErrorCode::kInvalidData, "{}: field '{}': expected a number from 1 to {}, not {}", fields.where(),
         key, kMaxSize, value);
  }
  return static_cast<std::size_t>(value);
}

// The engine runs this one value of the field.
void require(const JsonFields& fields, std::string_view key, std::string_view wanted,
             std::string_view absent) {
  const std::string value = fields.string_or(key, std::string(absent));
  if (value == wanted) return;
  fail(ErrorCode::kUnsupported, "{}: field '{}' is '{}'; the engine runs encoders with '{}' only",
       fields.where(), key, value.substr(0, 100), wanted);
}

BertConfig network_from(const JsonFields& fields) {
  require(fields, "model_type", "bert", "");
  require(fields, "hidden_act", "gelu", "gelu");
  require(fields, "position_embedding_type", "absolute", "absolute");
  BertConfig config;
  config.layers = size_of(fields, "num_hidden_layers");
  config.hidden = size_of(fields, "hidden_size");
  config.ffn = size_of(fields, "intermediate_size");
  config.vocabulary = size_of(fields, "vocab_size");
  config.positions = size_of(fields, "max_position_embeddings");
  config.token_types = size_of(fields, "type_vocab_size");
  const std::size_t heads = size_of(fields, "num_attention_heads");
  if (config.hidden % heads != 0) {
    fail(ErrorCode::kInvalidData, "{}: field 'num_attention_heads': expected a divisor of {}, not {}",
         fields.where(), config.hidden, heads);
  }
  const std::size_t width = config.hidden / heads;
  config.attention = {heads, heads, heads, width, width, 1.0F / std::sqrt(static_cast<float>(width))};
  const double epsilon = fields.number_or("layer_norm_eps", 1e-12);
  if (!std::isfinite(epsilon) || epsilon <= 0) {
    fail(ErrorCode::kInvalidData, "{}: field 'layer_norm_eps': expected a number above 0", fields.where());
  }
  config.norm_epsilon = static_cast<float>(epsilon);
  return config;
}

// Calls use(fields) with the object that the file holds.
template <typename F>
void with_file(const fs::path& path, F use) {
  const Json json = parse_json(read_file(path), path.string());
  use(JsonFields(json, path.string()));
}

void check_pooling(const JsonFields& fields) {
  for (const char* other :
       {"pooling_mode_cls_token", "pooling_mode_max_tokens", "pooling_mode_mean_sqrt_len_tokens",
        "pooling_mode_weightedmean_tokens", "pooling_mode_lasttoken"}) {
    if (fields.boolean_or(other, false)) {
      fail(ErrorCode::kUnsupported, "{}: field '{}': the engine pools by 'pooling_mode_mean_tokens' only",
           fields.where(), other);
    }
  }
  if (fields.boolean_or("pooling_mode_mean_tokens", false)) return;
  fail(ErrorCode::kUnsupported, "{}: field 'pooling_mode_mean_tokens' must be true", fields.where());
}

}  // namespace

BertConfig bert_config_from(const fs::path& folder) {
  if (!fs::exists(folder / "config.json")) {
    fail(ErrorCode::kNotFound, "{}: there is no config.json in it; an encoder is a folder that has one",
         folder.string());
  }
  BertConfig config;
  with_file(folder / "config.json", [&](const JsonFields& fields) { config = network_from(fields); });
  with_file(folder / "tokenizer_config.json", [](const JsonFields& fields) {
    if (fields.boolean_or("do_lower_case", true)) return;
    fail(ErrorCode::kUnsupported, "{}: field 'do_lower_case': the engine has the uncased tokenizer only",
         fields.where());
  });
  with_file(folder / "1_Pooling/config.json", check_pooling);
  config.max_tokens = config.positions;
  if (const fs::path file = folder / "sentence_bert_config.json"; fs::exists(file)) {
    with_file(file, [&](const JsonFields& fields) { config.max_tokens = size_of(fields, "max_seq_length"); });
  }
  if (config.max_tokens < 3 || config.max_tokens > config.positions) {
    fail(ErrorCode::kInvalidData, "{}: texts of {} tokens: expected 3 to {}, as many as there are positions",
         folder.string(), config.max_tokens, config.positions);
  }
  return config;
}

}  // namespace micius
