#include "engine/tokenizer/hf_pipeline.h"

#include <optional>
#include <string_view>

#include "base/base64.h"
#include "base/text.h"
#include "engine/tokenizer/spm_text.h"

namespace micius {
namespace {

std::string from_base64(const HfValue& value) {
  std::optional<std::string> bytes = decode_base64(value.text());
  if (!bytes) value.wrong("base64");
  return *std::move(bytes);
}

// Calls fn for the parts of a "Sequence", or for the one that stands there.
template <typename Fn>
void for_each_part(const HfValue& value, std::string_view list, const Fn& fn) {
  if (value.at("type").text() != "Sequence") return fn(value);
  const HfValue parts = value.at(list);
  for (std::size_t i = 0; i < parts.size(); ++i) for_each_part(parts.at(i), list, fn);
}

void read_replace(const HfValue& value, HfPipeline& out) {
  const HfValue pattern = value.at("pattern");
  const std::string from = pattern.text_or("String", ""), expression = pattern.text_or("Regex", "");
  const std::string to = value.text_or("content", "");
  if (from == " " && to == kSpmBlank) {
    out.writes_blanks = true;
  } else if (expression == " {2,}" && (to == " " || to == kSpmBlank)) {
    if (out.blanks == Blanks::kKept) out.blanks = Blanks::kMerged;
  } else {
    value.not_covered();
  }
}

// Is all white space a blank behind the map, as with SentencePiece's nmt_nfkc?
bool leaves_blanks_only(const std::string& block) {
  const Charsmap map(block);
  for (const std::string_view space : {"\n", "\t", "\r", "\xC2\xA0", "\xE2\x80\xA8", "\xE3\x80\x80"}) {
    const auto match = map.match(space);
    if (!match || match->replacement != " ") return false;
  }
  return true;
}

void read_normalizer(const HfValue& value, HfPipeline& out) {
  const std::string type = value.at("type").text();
  if (type == "NFC") {
    out.nfc = true;
  } else if (type == "Prepend") {
    if (value.at("prepend").text() != kSpmBlank) value.not_covered();
    out.prefix = BlankPrefix::kEveryPart;
  } else if (type == "Replace") {
    read_replace(value, out);
  } else if (type == "Precompiled") {
    out.charsmap = from_base64(value.at("precompiled_charsmap"));
  } else if (type == "Strip" && value.flag_or("strip_right", true) && leaves_blanks_only(out.charsmap)) {
    // Left of a text Metaspace's blank stands where those were.
    out.blanks = Blanks::kTrimmed;
  } else if (type == "BertNormalizer") {
    for (const char* field : {"clean_text", "handle_chinese_chars", "strip_accents", "lowercase"})
      value.only(field, true);
    out.bert_normalizer = true;
  } else {
    value.not_covered();
  }
}

void read_byte_level(const HfValue& value, HfPipeline& out) {
  out.byte_level = true;
  if (value.flag_or("add_prefix_space", true)) {
    if (!out.steps.empty()) value.not_covered("a blank in front of each piece");
    out.prefix = BlankPrefix::kEveryPart;
    out.prefix_before_blank = false;
  }
  if (value.flag_or("use_regex", true)) out.steps.push_back(gpt2_step());
}

void read_metaspace(const HfValue& value, HfPipeline& out) {
  value.only("replacement", std::string(kSpmBlank));
  const std::string scheme =
      value.text_or("prepend_scheme", value.flag_or("add_prefix_space", true) ? "always" : "never");
  if (scheme == "always") {
    out.prefix = BlankPrefix::kEveryPart;
  } else if (scheme == "first") {
    out.prefix = BlankPrefix::kStart;
  } else if (scheme != "never") {
    value.at("prepend_scheme").not_covered();
  }
  if (scheme != "never") out.prefix_before_blank = false;
  out.writes_blanks = true;
  out.splits_blanks = value.flag_or("split", true);
}

void read_split(const HfValue& value, HfPipeline& out) {
  const HfValue pattern = value.at("pattern");
  const std::string behavior = value.at("behavior").text();
  const bool invert = value.flag_or("invert", false);
  // Between normalised blanks there is no blank left to cut at.
  if (out.writes_blanks && pattern.text_or("String", "") == " ") return;
  auto step = step_of_expression(pattern.text_or("Regex", pattern.text_or("String", "")));
  if (!step) pattern.not_covered();
  // Removing what the expression does not match is the same where it matches everything.
  const bool all = std::holds_alternative<WordStep>(*step) && behavior == "Removed" && invert;
  if (!all && (behavior != "Isolated" || invert)) value.not_covered();
  out.steps.push_back(*std::move(step));
}

void read_pre_tokenizer(const HfValue& value, HfPipeline& out) {
  const std::string type = value.at("type").text();
  // Behind ByteLevel a text is in the byte-level alphabet: digits are still what they are.
  if (out.byte_level && type != "Digits" && type != "Split") value.not_covered("a step behind ByteLevel");
  if (type == "ByteLevel") {
    read_byte_level(value, out);
  } else if (type == "Digits") {
    out.steps.emplace_back(number_step(value.flag_or("individual_digits", false)));
  } else if (type == "Punctuation") {
    const std::string behavior = value.text_or("behavior", "Isolated");
    if (behavior != "Isolated" && behavior != "Contiguous") value.not_covered();
    out.steps.emplace_back(punctuation_step(behavior == "Isolated"));
  } else if (type == "Split") {
    if (out.byte_level && value.at("pattern").text_or("Regex", "") != "[0-9][0-9][0-9]")
      value.not_covered("a step behind ByteLevel");
    read_split(value, out);
  } else if (type == "Metaspace") {
    read_metaspace(value, out);
  } else if (type == "WhitespaceSplit" && leaves_blanks_only(out.charsmap)) {
    out.blanks = Blanks::kTrimmed;
  } else if (type == "BertPreTokenizer") {
    out.bert_words = true;
  } else {
    value.not_covered();
  }
}

}  // namespace

HfPipeline hf_pipeline(const HfValue& file) {
  HfPipeline out;
  if (const auto normalizer = file.find("normalizer"))
    for_each_part(*normalizer, "normalizers", [&](const HfValue& part) { read_normalizer(part, out); });
  if (const auto pre = file.find("pre_tokenizer"))
    for_each_part(*pre, "pretokenizers", [&](const HfValue& part) { read_pre_tokenizer(part, out); });
  return out;
}

}  // namespace micius
