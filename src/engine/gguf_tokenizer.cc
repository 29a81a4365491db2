#include "engine/gguf_tokenizer.h"

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <optional>
#include <span>

#include "base/error.h"
#include "base/text.h"
#include "engine/tokenizer/spm_text.h"

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

// The bytes of an array of one type.
std::span<const std::byte> array_if(const GgufFile& file, std::string_view key,
                                    std::initializer_list<GgufType> types, std::string_view expected) {
  const GgufValue* value = file.find(key);
  if (value == nullptr) return {};
  if (!value->is_array || std::find(types.begin(), types.end(), value->type) == types.end())
    fail(ErrorCode::kInvalidData, "{}: key '{}': expected an array of {}", file.name(), key, expected);
  return value->bytes;
}

std::vector<float> scores_from(const GgufFile& file) {
  const auto bytes = array_if(file, "tokenizer.ggml.scores", {GgufType::kF32}, "32-bit numbers");
  std::vector<float> scores(bytes.size() / sizeof(float));
  if (!scores.empty()) std::memcpy(scores.data(), bytes.data(), scores.size() * sizeof(float));
  return scores;
}

std::string charsmap_from(const GgufFile& file) {
  const auto bytes =
      array_if(file, "tokenizer.ggml.precompiled_charsmap", {GgufType::kU8, GgufType::kI8}, "bytes");
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A GGUF writes a BERT's pieces that begin a word with U+2581, the others without "##".
void restore_wordpieces(TokenizerData& data) {
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    std::string& token = data.tokens[id];
    if (kind_of(data, id) != TokenKind::kNormal || (token.starts_with('[') && token.ends_with(']'))) continue;
    token = token.starts_with(kSpmBlank) ? token.substr(kSpmBlank.size()) : "##" + token;
  }
}

// Phi-3's special tokens swallow the white space behind them, which a GGUF does not say; llama.cpp knows the
// model by its name, and so do we.
std::vector<TokenId> phi3_takers(const GgufFile& file, const TokenizerData& data) {
  const std::string name = lower_ascii(file.string_if("general.name").value_or(""));
  std::vector<TokenId> ids;
  if (name.find("phi3") == std::string::npos && name.find("phi-3") == std::string::npos) return ids;
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    const std::string& token = data.tokens[id];
    const TokenKind kind = kind_of(data, id);
    const bool special = kind == TokenKind::kControl || kind == TokenKind::kUnknown || token == "</s>";
    if (special && token != "<s>" && token != "<unk>" && token != "<|endoftext|>")
      ids.push_back(static_cast<TokenId>(id));
  }
  return ids;
}

// Keys that only SentencePiece's models have; a file that lacks them means llama.cpp's defaults.
void read_spm(const GgufFile& file, TokenizerData& data) {
  data.scores = scores_from(file);
  data.charsmap = charsmap_from(file);
  if (file.boolean_if("tokenizer.ggml.add_space_prefix").value_or(true))
    data.prefix = BlankPrefix::kEveryPart;
  if (file.boolean_if("tokenizer.ggml.remove_extra_whitespaces").value_or(false))
    data.blanks = Blanks::kTrimmed;
  data.takes_behind = phi3_takers(file, data);
}

}  // namespace

TokenizerData tokenizer_data_from(const GgufFile& file) {
  TokenizerData data;
  data.model = file.string("tokenizer.ggml.model");
  data.pre = file.string_if("tokenizer.ggml.pre").value_or("");
  data.tokens = file.strings("tokenizer.ggml.tokens");
  data.kinds = kinds_from(file, data.tokens.size());
  data.bos = token_if(file, "tokenizer.ggml.bos_token_id", data.tokens.size());
  data.eos = token_if(file, "tokenizer.ggml.eos_token_id", data.tokens.size());
  data.unknown = token_if(file, "tokenizer.ggml.unknown_token_id", data.tokens.size());
  data.add_bos = file.boolean_if("tokenizer.ggml.add_bos_token").value_or(data.model == "llama");
  data.add_eos = file.boolean_if("tokenizer.ggml.add_eos_token").value_or(data.model == "t5");
  if (data.model == "gpt2" && file.has("tokenizer.ggml.merges"))
    data.merges = file.strings("tokenizer.ggml.merges");
  if (data.model == "llama" || data.model == "t5") read_spm(file, data);
  if (data.model == "bert") restore_wordpieces(data);
  return data;
}

std::string chat_template_from(const GgufFile& file) {
  return std::string(file.string_if("tokenizer.chat_template").value_or(""));
}

}  // namespace micius
