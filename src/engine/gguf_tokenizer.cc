#include "engine/gguf_tokenizer.h"

#include <optional>

#include "base/error.h"

namespace micius {
namespace {

std::optional<TokenId> token_if(const GgufFile& file, std::string_view key, std::size_t vocabulary) {
  const auto id = file.integer_if(key);
  if (!id) return std::nullopt;
  if (*id >= vocabulary) {
    fail(ErrorCode::kInvalidData, "{}: key '{}': expected an id below {}, not {}", file.name(), key,
         vocabulary, *id);
  }
  return static_cast<TokenId>(*id);
}

std::vector<TokenKind> kinds_from(const GgufFile& file, std::size_t vocabulary) {
  constexpr std::string_view kKey = "tokenizer.ggml.token_type";
  std::vector<TokenKind> kinds;
  if (!file.has(kKey)) return kinds;
  for (const std::uint64_t kind : file.integers(kKey)) {
    if (kind < 1 || kind > 6) {
      fail(ErrorCode::kInvalidData, "{}: key '{}': expected types 1 to 6, not {}", file.name(), kKey, kind);
    }
    kinds.push_back(static_cast<TokenKind>(kind));
  }
  if (kinds.size() != vocabulary) {
    fail(ErrorCode::kInvalidData, "{}: key '{}': expected {} entries, one a token, not {}", file.name(), kKey,
         vocabulary, kinds.size());
  }
  return kinds;
}

}  // namespace

TokenizerData tokenizer_data_from(const GgufFile& file) {
  TokenizerData data;
  data.model = file.string("tokenizer.ggml.model");
  data.pre = file.string_if("tokenizer.ggml.pre").value_or("");
  data.tokens = file.strings("tokenizer.ggml.tokens");
  data.kinds = kinds_from(file, data.tokens.size());
  if (file.has("tokenizer.ggml.merges")) data.merges = file.strings("tokenizer.ggml.merges");
  data.bos = token_if(file, "tokenizer.ggml.bos_token_id", data.tokens.size());
  data.eos = token_if(file, "tokenizer.ggml.eos_token_id", data.tokens.size());
  data.add_bos = file.boolean_if("tokenizer.ggml.add_bos_token").value_or(false);
  return data;
}

std::string chat_template_from(const GgufFile& file) {
  return std::string(file.string_if("tokenizer.chat_template").value_or(""));
}

}  // namespace micius
