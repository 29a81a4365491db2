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

// Keys of ours.
constexpr std::string_view kBlankPrefix = "micius.tokenizer.blank_prefix",
                           kBlanks = "micius.tokenizer.blanks",
                           kBeforeBlank = "micius.tokenizer.prefix_before_blank",
                           kTakesBefore = "micius.tokenizer.takes_before",
                           kTakesBehind = "micius.tokenizer.takes_behind";

std::uint64_t small_number(const GgufFile& file, std::string_view key, std::uint64_t most) {
  const std::uint64_t value = file.integer(key);
  if (value > most) {
    fail(ErrorCode::kInvalidData, "{}: key '{}': expected a number up to {}, not {}", file.name(), key, most,
         value);
  }
  return value;
}

std::vector<TokenId> ids_from(const GgufFile& file, std::string_view key, std::size_t vocabulary) {
  std::vector<TokenId> ids;
  for (const std::uint64_t id : file.integers(key)) {
    if (id >= vocabulary) {
      fail(ErrorCode::kInvalidData, "{}: key '{}': expected ids below {}, not {}", file.name(), key,
           vocabulary, id);
    }
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

// What write_tokenizer() said in keys of ours.
void read_ours(const GgufFile& file, TokenizerData& data) {
  if (!file.has(kBlankPrefix)) return;
  data.prefix = static_cast<BlankPrefix>(small_number(file, kBlankPrefix, 2));
  data.blanks = static_cast<Blanks>(small_number(file, kBlanks, 2));
  data.prefix_before_blank = file.boolean_if(kBeforeBlank).value_or(true);
  data.takes_before = ids_from(file, kTakesBefore, data.tokens.size());
  data.takes_behind = ids_from(file, kTakesBehind, data.tokens.size());
}

}  // namespace

TokenizerData tokenizer_data_from(const GgufFile& file) {
  TokenizerData data;
  data.model = file.string("tokenizer.ggml.model");
  data.pre = file.string_if("tokenizer.ggml.pre").value_or("");
  if (data.model == kNoTokenizer) return data;
  data.tokens = file.strings("tokenizer.ggml.tokens");
  data.kinds = kinds_from(file, data.tokens.size());
  data.bos = token_if(file, "tokenizer.ggml.bos_token_id", data.tokens.size());
  data.eos = token_if(file, "tokenizer.ggml.eos_token_id", data.tokens.size());
  data.unknown = token_if(file, "tokenizer.ggml.unknown_token_id", data.tokens.size());
  data.add_bos = file.boolean_if("tokenizer.ggml.add_bos_token").value_or(data.model == "llama");
  data.add_eos = file.boolean_if("tokenizer.ggml.add_eos_token").value_or(data.model == "t5");
  if (data.model == "llama" || data.model == "t5") read_spm(file, data);
  if (data.scores.empty() && file.has("tokenizer.ggml.merges"))
    data.merges = file.strings("tokenizer.ggml.merges");
  if (data.model == "bert") restore_wordpieces(data);
  read_ours(file, data);
  return data;
}

std::string chat_template_from(const GgufFile& file) {
  return std::string(file.string_if("tokenizer.chat_template").value_or(""));
}

void write_tokenizer(const TokenizerData& data, GgufWriter& writer) {
  if (data.model == "bert")
    fail(ErrorCode::kUnsupported, "a WordPiece vocabulary is not written to GGUF files");
  writer.string("tokenizer.ggml.model", data.model);
  if (data.model == kNoTokenizer) return;
  if (data.model == "gpt2") {
    const auto pre = data.steps ? pre_tokenizer_name(*data.steps) : std::optional(data.pre);
    if (!pre) fail(ErrorCode::kUnsupported, "the pre-tokenizer of tokenizer.json has no name in GGUF");
    writer.string("tokenizer.ggml.pre", *pre);
  } else {
    writer.boolean("tokenizer.ggml.add_space_prefix", data.prefix != BlankPrefix::kNone);
    writer.boolean("tokenizer.ggml.remove_extra_whitespaces", data.blanks == Blanks::kTrimmed);
  }
  writer.integer(kBlankPrefix, static_cast<std::uint32_t>(data.prefix));
  writer.integer(kBlanks, static_cast<std::uint32_t>(data.blanks));
  writer.boolean(kBeforeBlank, data.prefix_before_blank);
  writer.integers(kTakesBefore, data.takes_before).integers(kTakesBehind, data.takes_behind);
  writer.strings("tokenizer.ggml.tokens", data.tokens);
  std::vector<std::int32_t> kinds;
  for (const TokenKind kind : data.kinds) kinds.push_back(static_cast<std::int32_t>(kind));
  if (!kinds.empty()) writer.integers("tokenizer.ggml.token_type", kinds);
  if (!data.merges.empty()) writer.strings("tokenizer.ggml.merges", data.merges);
  if (!data.scores.empty()) writer.numbers("tokenizer.ggml.scores", data.scores);
  if (!data.charsmap.empty()) writer.bytes("tokenizer.ggml.precompiled_charsmap", data.charsmap);
  const auto write_id = [&](std::string_view key, std::optional<TokenId> id) {
    if (id) writer.integer(key, static_cast<std::uint32_t>(*id));
  };
  write_id("tokenizer.ggml.bos_token_id", data.bos);
  write_id("tokenizer.ggml.eos_token_id", data.eos);
  write_id("tokenizer.ggml.unknown_token_id", data.unknown);
  writer.boolean("tokenizer.ggml.add_bos_token", data.add_bos);
  writer.boolean("tokenizer.ggml.add_eos_token", data.add_eos);
}

}  // namespace micius
