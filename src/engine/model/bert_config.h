// The numbers of a BERT encoder (Devlin et al., 2019) and of what sentence-transformers puts around it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "engine/kv_page.h"

namespace micius {

struct BertConfig {
  std::size_t layers = 0, hidden = 0, ffn = 0, vocabulary = 0;
  std::size_t positions = 0, token_types = 0;  // rows of their embeddings
  AttentionShape attention;                    // as many K and V heads as q heads
  float norm_epsilon = 1e-12F;
  std::size_t max_tokens = 0;  // of a text, [CLS] and [SEP] counted
};

// Reads config.json, tokenizer_config.json, 1_Pooling/config.json and, where it is there,
// sentence_bert_config.json of `folder`. Throws Error{kNotFound} for a folder without config.json,
// Error{kUnsupported} for another architecture, activation, pooling or a cased tokenizer, and
// Error{kInvalidData} for numbers that are missing or do not fit together; messages name file and field.
BertConfig bert_config_from(const std::filesystem::path& folder);

}  // namespace micius
