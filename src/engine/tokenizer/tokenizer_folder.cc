#include "engine/tokenizer/tokenizer_folder.h"

#include <algorithm>
#include <charconv>
#include <map>

#include "base/files.h"
#include "base/text.h"
#include "engine/tokenizer/hf_json.h"
#include "engine/tokenizer/hf_tokenizer.h"
#include "engine/tokenizer/spm_file.h"

namespace micius {
namespace {

namespace fs = std::filesystem;

constexpr const char* kConfig = "tokenizer_config.json";

// A special token stands as its text, or as an object with "content".
std::optional<TokenId> named_token(const HfValue& config, std::string_view key, const TokenizerData& data) {
  const auto value = config.find(key);
  if (!value) return std::nullopt;
  const std::string token = value->json().is_object() ? value->at("content").text() : value->text();
  const auto place = std::find(data.tokens.begin(), data.tokens.end(), token);
  if (place == data.tokens.end()) {
    fail(ErrorCode::kInvalidData, "{}: '{}' is no token of the vocabulary", value->where(),
         shorten(to_valid_utf8(token), 40));
  }
  return static_cast<TokenId>(place - data.tokens.begin());
}

// "added_tokens_decoder": tokens that `tokenizer.model` does not have, or has as something else.
void add_tokens(const HfValue& list, TokenizerData& data) {
  std::map<TokenId, HfValue> entries;
  for (const auto& [key, value] : list.json().items()) {
    TokenId id = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), id);
    if (error != std::errc() || end != key.data() + key.size() || id < 0) list.wrong("ids as keys");
    entries.emplace(id, HfValue(value, fmt::format("{}.{}", list.where(), id)));
  }
  for (const auto& [id, entry] : entries) {
    const auto at = static_cast<std::size_t>(id);
    if (at > data.tokens.size()) {
      fail(ErrorCode::kInvalidData, "{}: there is no token {} before it", entry.where(), data.tokens.size());
    }
    if (at == data.tokens.size()) {
      data.tokens.emplace_back();
      data.kinds.push_back(TokenKind::kNormal);
      data.scores.push_back(0);
    }
    entry.only("single_word", false);
    data.tokens[at] = entry.at("content").text();
    if (data.kinds[at] != TokenKind::kUnknown)
      data.kinds[at] = entry.flag_or("special", false) ? TokenKind::kControl : TokenKind::kUserDefined;
    if (entry.flag_or("lstrip", false)) data.takes_before.push_back(id);
    if (entry.flag_or("rstrip", false)) data.takes_behind.push_back(id);
  }
}

// One template, or a list of named ones of which "default" counts.
std::string template_from(const HfValue& config) {
  const auto value = config.find("chat_template");
  if (!value) return {};
  if (!value->json().is_array()) return value->text();
  for (std::size_t i = 0; i < value->size(); ++i) {
    if (value->at(i).at("name").text() == "default") return value->at(i).at("template").text();
  }
  value->wrong("a template with the name 'default'");
}

void read_config(const HfValue& config, bool spm_file, TokenizerData& data) {
  if (const auto added = config.find("added_tokens_decoder"); added && spm_file) add_tokens(*added, data);
  // Without "legacy" a blank is put only in front of the text.
  if (spm_file && !config.flag_or("legacy", true) && data.prefix == BlankPrefix::kEveryPart)
    data.prefix = BlankPrefix::kStart;
  const bool bert = data.model == "bert";
  if (const auto id = named_token(config, bert ? "cls_token" : "bos_token", data)) data.bos = id;
  if (const auto id = named_token(config, bert ? "sep_token" : "eos_token", data)) data.eos = id;
  data.add_bos = config.flag_or("add_bos_token", data.add_bos);
  data.add_eos = config.flag_or("add_eos_token", data.add_eos);
}

}  // namespace

TokenizerData read_tokenizer(const fs::path& folder) {
  const fs::path json = folder / "tokenizer.json", spm = folder / "tokenizer.model";
  const fs::path config = folder / kConfig;
  const bool has_json = fs::exists(json);
  if (!has_json && !fs::exists(spm)) {
    fail(ErrorCode::kNotFound, "{}: there is neither tokenizer.json nor tokenizer.model in it",
         folder.string());
  }
  TokenizerData data = has_json ? read_hf_tokenizer(MappedFile(json).text(), json.string())
                                : read_spm_file(MappedFile(spm).text(), spm.string());
  if (fs::exists(config)) {
    const HfJson value = parse_hf_json(MappedFile(config).text(), config.string());
    read_config(HfValue(value, config.string()), !has_json, data);
  }
  return data;
}

std::string read_chat_template(const fs::path& folder) {
  const fs::path config = folder / kConfig, alone = folder / "chat_template.jinja";
  if (fs::exists(alone)) return read_file(alone);
  if (!fs::exists(config)) return {};
  const HfJson value = parse_hf_json(MappedFile(config).text(), config.string());
  return template_from(HfValue(value, config.string()));
}

}  // namespace micius
