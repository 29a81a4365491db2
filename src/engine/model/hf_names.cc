#include "engine/model/hf_names.h"

#include <algorithm>
#include <span>

#include <fmt/format.h>

namespace micius {
namespace {

struct Name {
  std::string_view gguf, hf;
};
using Names = std::span<const Name>;

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
                               {"attention.value_length", "head_dim"},
                               {"attention.sliding_window", "sliding_window"}};
constexpr Name kGemmaKeys[] = {{"attention.sliding_window_pattern", "sliding_window_pattern"},
                               {"rope.freq_base", "rope_parameters.full_attention.rope_theta"},
                               {"rope.freq_base_swa", "rope_local_base_freq"},
                               {"rope.freq_base_swa", "rope_parameters.sliding_attention.rope_theta"}};
constexpr Name kSigmaKeys[] = {
    {"attention.head_count_k", "num_key_heads"}, {"attention.head_count_v", "num_value_heads"},
    {"attention.query_length", "head_dim"},      {"attention.key_length", "key_head_dim"},
    {"attention.key_length", "head_dim"},        {"attention.value_length", "value_head_dim"},
    {"attention.value_length", "head_dim"},      {"attention.augmented_query_length", "q_augmentation"}};

// Of RoPE's scaling, in the forms that the libraries have written.
constexpr Name kRopeFields[] = {{"rope.scaling.type", "rope_type"},
                                {"rope.scaling.type", "type"},
                                {"rope.scaling.factor", "factor"},
                                {"rope.scaling.low_freq_factor", "low_freq_factor"},
                                {"rope.scaling.high_freq_factor", "high_freq_factor"},
                                {"rope.scaling.original_context_length", "original_max_position_embeddings"}};

constexpr Name kTensors[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"}};

// Of a layer: "blk.0.X" is "model.layers.0.Y".
constexpr std::string_view kGgufLayer = "blk.", kHfLayer = "model.layers.";
constexpr Name kLayerTensors[] = {{"attn_norm", "input_layernorm"},
                                  {"attn_q", "self_attn.q_proj"},
                                  {"attn_k", "self_attn.k_proj"},
                                  {"attn_v", "self_attn.v_proj"},
                                  {"attn_q_norm", "self_attn.q_norm"},
                                  {"attn_k_norm", "self_attn.k_norm"},
                                  {"attn_output", "self_attn.o_proj"},
                                  {"attn_q_gate", "self_attn.q_gate_proj"},
                                  {"attn_q_up", "self_attn.q_up_proj"},
                                  {"attn_q_down", "self_attn.q_down_proj"},
                                  {"attn_k_up", "self_attn.k_up_proj"},
                                  {"ffn_gate", "mlp.gate_proj"},
                                  {"ffn_up", "mlp.up_proj"},
                                  {"ffn_down", "mlp.down_proj"}};
constexpr Name kLlamaNorms[] = {{"ffn_norm", "post_attention_layernorm"}};
constexpr Name kGemmaNorms[] = {{"post_attention_norm", "post_attention_layernorm"},
                                {"ffn_norm", "pre_feedforward_layernorm"},
                                {"post_ffw_norm", "post_feedforward_layernorm"}};

std::vector<Names> key_tables(std::string_view architecture) {
  if (architecture == "sigma") return {kKeys, kSigmaKeys};
  if (architecture == "gemma3") return {kKeys, kLlamaKeys, kGemmaKeys};
  return {kKeys, kLlamaKeys};
}

// Renames from one column to the other.
template <typename From, typename To>
std::string renamed(std::string_view architecture, std::string_view name, From from, To to) {
  const std::size_t ending = name.rfind('.');
  if (ending == std::string_view::npos) return std::string(name);
  const std::string_view stem = name.substr(0, ending), suffix = name.substr(ending);
  for (const Name& row : kTensors) {
    if (stem == from(row)) return fmt::format("{}{}", to(row), suffix);
  }
  const Name layer{kGgufLayer, kHfLayer};
  if (!stem.starts_with(from(layer))) return std::string(name);
  const std::size_t number = from(layer).size(), dot = stem.find('.', number);
  if (dot == std::string_view::npos) return std::string(name);
  const Names norms = architecture == "gemma3" ? Names(kGemmaNorms) : kLlamaNorms;
  for (const Names rows : {Names(kLayerTensors), norms}) {
    for (const Name& row : rows) {
      if (stem.substr(dot + 1) != from(row)) continue;
      return fmt::format("{}{}.{}{}", to(layer), stem.substr(number, dot - number), to(row), suffix);
    }
  }
  return std::string(name);
}

std::string_view in_gguf(const Name& name) { return name.gguf; }
std::string_view in_hf(const Name& name) { return name.hf; }

}  // namespace

std::vector<std::string_view> gguf_keys(std::string_view architecture) {
  std::vector<std::string_view> keys;
  for (const Names rows : key_tables(architecture)) {
    for (const Name& row : rows) {
      if (std::find(keys.begin(), keys.end(), row.gguf) == keys.end()) keys.push_back(row.gguf);
    }
  }
  return keys;
}

std::vector<std::string> hf_fields(std::string_view architecture, std::string_view key) {
  std::vector<std::string> fields;
  for (const Names rows : key_tables(architecture)) {
    for (const Name& row : rows) {
      if (row.gguf == key) fields.emplace_back(row.hf);
    }
  }
  for (const Name& row : kRopeFields) {
    if (row.gguf != key) continue;
    for (const std::string_view object :
         {"rope_scaling", "rope_parameters", "rope_parameters.full_attention"}) {
      fields.push_back(fmt::format("{}.{}", object, row.hf));
    }
  }
  return fields;
}

std::string gguf_tensor_name(std::string_view architecture, std::string_view hf_name) {
  return renamed(architecture, hf_name, in_hf, in_gguf);
}

std::string hf_tensor_name(std::string_view architecture, std::string_view gguf_name) {
  return renamed(architecture, gguf_name, in_gguf, in_hf);
}

}  // namespace micius
