#include "engine/tokenizer/hf_tokenizer.h"

#include <algorithm>
#include <utility>

#include "base/text.h"
#include "engine/tokenizer/hf_json.h"
#include "engine/tokenizer/hf_pipeline.h"
#include "engine/tokenizer/spm_text.h"

namespace micius {
namespace {

constexpr std::size_t kMaxGap = 1 << 16;  // ids without a token

// `limit`: of ids, from the number of tokens that the file holds.
void set_token(TokenizerData& data, const HfValue& where, TokenId id, std::string token, TokenKind kind,
               std::size_t limit) {
  const auto at = static_cast<std::size_t>(id);
  if (at >= limit) where.wrong(fmt::format("ids below {}", limit));
  if (at >= data.tokens.size()) {
    data.tokens.resize(at + 1);
    data.kinds.resize(at + 1, TokenKind::kUnused);
  }
  data.tokens[at] = std::move(token);
  data.kinds[at] = kind;
}

bool is_byte(std::string_view token) {
  return token.size() == 6 && token.starts_with("<0x") && token.ends_with('>');
}

// "vocab" as an object: token to id.
void read_vocabulary(const HfValue& model, TokenizerData& data, bool has_bytes) {
  const HfValue vocabulary = model.at("vocab");
  if (!vocabulary.json().is_object()) vocabulary.wrong("an object");
  for (const auto& [token, value] : vocabulary.json().items()) {
    const HfValue entry(value, vocabulary.where());
    const TokenId id = entry.id();
    if (static_cast<std::size_t>(id) < data.kinds.size() &&
        data.kinds[static_cast<std::size_t>(id)] != TokenKind::kUnused) {
      fail(ErrorCode::kInvalidData, "{}: id {} stands there twice, with '{}' too", vocabulary.where(), id,
           shorten(to_valid_utf8(token), 40));
    }
    const TokenKind kind = has_bytes && is_byte(token) ? TokenKind::kByte : TokenKind::kNormal;
    set_token(data, vocabulary, id, token, kind, vocabulary.json().size() + kMaxGap);
  }
}

void set_unknown(TokenizerData& data, const HfValue& where, std::string_view token) {
  const auto place = std::find(data.tokens.begin(), data.tokens.end(), token);
  if (place == data.tokens.end()) where.wrong("a token of the vocabulary");
  data.unknown = static_cast<TokenId>(place - data.tokens.begin());
  data.kinds[static_cast<std::size_t>(*data.unknown)] = TokenKind::kUnknown;
}

// "left right", or since 2024 ["left", "right"].
void read_merges(const HfValue& model, TokenizerData& data) {
  const HfValue merges = model.at("merges");
  const std::size_t size = merges.size();
  data.merges.reserve(size);
  for (const HfJson& entry : merges.json()) {
    if (entry.is_string()) {
      data.merges.push_back(entry.get<std::string>());
      continue;
    }
    const HfValue pair(entry, fmt::format("{}[{}]", merges.where(), data.merges.size()));
    if (pair.size() != 2) pair.wrong("two tokens");
    const std::string left = pair.at(0).text(), right = pair.at(1).text();
    if (left.find(' ') != std::string::npos || right.find(' ') != std::string::npos)
      pair.not_covered("a merge of tokens with blanks");
    data.merges.push_back(left + " " + right);
  }
}

void read_bpe(const HfValue& model, const HfPipeline& pipeline, TokenizerData& data) {
  model.only("continuing_subword_prefix", "");
  model.only("end_of_word_suffix", "");
  model.only("dropout", 0.0);
  const bool bytes = model.flag_or("byte_fallback", false);
  if (pipeline.byte_level == pipeline.writes_blanks || pipeline.bert_words || pipeline.bert_normalizer)
    model.not_covered("BPE that is neither byte-level nor over U+2581");
  read_vocabulary(model, data, bytes);
  read_merges(model, data);
  const auto unknown = model.find("unk_token");
  if (pipeline.byte_level) {
    data.model = "gpt2";
    PreTokenizer pre;
    pre.steps = pipeline.steps;
    pre.nfc = pipeline.nfc;
    pre.whole_words = model.flag_or("ignore_merges", false);
    data.steps = std::move(pre);
    return;
  }
  data.model = "llama";
  if (!pipeline.steps.empty() || pipeline.nfc || model.flag_or("ignore_merges", false))
    model.not_covered("BPE over U+2581 with NFC, further steps or ignore_merges");
  if (!bytes && unknown && !model.flag_or("fuse_unk", false))
    model.not_covered("unknown characters one by one");
  if (unknown) set_unknown(data, *unknown, unknown->text());
}

void read_unigram(const HfValue& model, const HfPipeline& pipeline, TokenizerData& data) {
  data.model = "t5";
  if (!pipeline.writes_blanks || pipeline.byte_level || pipeline.nfc || !pipeline.steps.empty())
    model.not_covered("a unigram model without Metaspace, or with further steps");
  const bool bytes = model.flag_or("byte_fallback", false);
  const HfValue vocabulary = model.at("vocab");
  for (std::size_t id = 0; id < vocabulary.size(); ++id) {
    const HfValue entry = vocabulary.at(id);
    std::string token = entry.at(std::size_t{0}).text();
    const TokenKind kind = bytes && is_byte(token) ? TokenKind::kByte : TokenKind::kNormal;
    data.scores.push_back(static_cast<float>(entry.at(1).number()));
    set_token(data, entry, static_cast<TokenId>(id), std::move(token), kind, vocabulary.size());
  }
  if (const auto unknown = model.find("unk_id")) {
    const TokenId id = unknown->id();
    if (static_cast<std::size_t>(id) >= data.tokens.size()) unknown->wrong("an id of the vocabulary");
    data.unknown = id;
    data.kinds[static_cast<std::size_t>(id)] = TokenKind::kUnknown;
  }
}

void read_wordpiece(const HfValue& model, const HfPipeline& pipeline, TokenizerData& data) {
  data.model = "bert";
  if (!pipeline.bert_normalizer || !pipeline.bert_words || !pipeline.steps.empty())
    model.not_covered("WordPiece without BertNormalizer and BertPreTokenizer");
  model.only("continuing_subword_prefix", "##");
  model.only("max_input_chars_per_word", 100);
  model.only("unk_token", "[UNK]");
  read_vocabulary(model, data, false);
}

// The pieces that a pre-tokenizer cuts apart must not be tokens.
void check_splits(const HfValue& model, const HfPipeline& pipeline, const TokenizerData& data) {
  if (!pipeline.splits_blanks) return;
  for (std::size_t id = 0; id < data.tokens.size(); ++id) {
    const std::string& token = data.tokens[id];
    if (data.kinds[id] == TokenKind::kNormal && token.find(kSpmBlank, 1) != std::string::npos) {
      model.not_covered(fmt::format("Metaspace with split and the token '{}' across it",
                                    shorten(to_valid_utf8(token), 40)));
    }
  }
}

void read_added_tokens(const HfValue& file, TokenizerData& data) {
  const auto list = file.find("added_tokens");
  if (!list) return;
  const std::size_t limit = data.tokens.size() + list->size() + kMaxGap;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const HfValue entry = list->at(i);
    entry.only("single_word", false);
    const TokenId id = entry.at("id").id();
    TokenKind kind = entry.flag_or("special", false) ? TokenKind::kControl : TokenKind::kUserDefined;
    if (data.unknown == id) kind = TokenKind::kUnknown;
    set_token(data, entry, id, entry.at("content").text(), kind, limit);
    if (entry.flag_or("lstrip", false)) data.takes_before.push_back(id);
    if (entry.flag_or("rstrip", false)) data.takes_behind.push_back(id);
  }
  if (!data.scores.empty()) data.scores.resize(data.tokens.size());
}

std::optional<TokenId> token_id(const TokenizerData& data, const HfValue& token) {
  const auto place = std::find(data.tokens.begin(), data.tokens.end(), token.text());
  if (place == data.tokens.end()) token.wrong("a token of the vocabulary");
  return static_cast<TokenId>(place - data.tokens.begin());
}

// The special tokens that a template puts before and behind one text.
void read_template(const HfValue& single, TokenizerData& data) {
  bool behind = false;
  for (std::size_t i = 0; i < single.size(); ++i) {
    const auto token = single.at(i).find("SpecialToken");
    if (!token) {
      behind = true;
    } else if (behind) {
      data.add_eos = true;
      data.eos = token_id(data, token->at("id"));
    } else {
      data.add_bos = true;
      data.bos = token_id(data, token->at("id"));
    }
  }
}

void read_post_processor(const HfValue& value, TokenizerData& data) {
  const std::string type = value.at("type").text();
  if (type == "Sequence") {
    const HfValue parts = value.at("processors");
    for (std::size_t i = 0; i < parts.size(); ++i) read_post_processor(parts.at(i), data);
  } else if (type == "TemplateProcessing") {
    read_template(value.at("single"), data);
  } else if (type == "BertProcessing" || type == "RobertaProcessing") {
    data.add_bos = data.add_eos = true;
    data.bos = token_id(data, value.at("cls").at(std::size_t{0}));
    data.eos = token_id(data, value.at("sep").at(std::size_t{0}));
  } else if (type != "ByteLevel") {
    value.not_covered();
  }
}

}  // namespace

// Nothing is read of "decoder": the way back follows from the way there.
TokenizerData read_hf_tokenizer(std::string_view text, const std::string& file) {
  const HfJson json = parse_hf_json(text, file);
  const HfValue root(json, file);
  HfPipeline pipeline = hf_pipeline(root);
  const HfValue model = root.at("model");
  const std::string type = model.text_or("type", "BPE");
  TokenizerData data;
  data.prefix = pipeline.prefix;
  data.prefix_before_blank = pipeline.prefix_before_blank;
  data.blanks = pipeline.blanks;
  if (type == "BPE") {
    read_bpe(model, pipeline, data);
  } else if (type == "Unigram") {
    read_unigram(model, pipeline, data);
  } else if (type == "WordPiece") {
    read_wordpiece(model, pipeline, data);
  } else {
    model.at("type").not_covered();
  }
  check_splits(model, pipeline, data);
  data.charsmap = std::move(pipeline.charsmap);
  read_added_tokens(root, data);
  if (const auto post = root.find("post_processor")) read_post_processor(*post, data);
  return data;
}

}  // namespace micius
