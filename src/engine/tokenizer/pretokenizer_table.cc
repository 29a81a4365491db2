// The published pre-tokenizers as values; each function stands over the expression it states.
#include <algorithm>
#include <functional>
#include <optional>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/text.h"
#include "engine/tokenizer/pretokenizer.h"

namespace micius {
namespace {

using char_class::Bits;
using char_class::kLetter;
using char_class::kMark;
using char_class::kNewline;
using char_class::kNumber;
using char_class::kPunctuation;
using char_class::kSpace;
using char_class::kSymbol;
using char_class::Set;
using Contractions = WordStep::Contractions;

Set of(Bits bits) { return {bits, {}, false}; }
Set all_but(Bits bits) { return {bits, {}, true}; }
RunStep runs(Set one) { return {std::move(one), {}}; }
RunStep each_number() { return number_step(true); }

// [一-龥ࠀ-一가-퟿]+
RunStep east_asian() { return runs({0, {{0x4E00, 0x9FA5}, {0x800, 0x4E00}, {0xAC00, 0xD7FF}}}); }

// 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+
WordStep gpt2_words() {
  WordStep step;
  step.contractions = Contractions::kExact;
  step.letter_prefix = {0, {{' ', ' '}}};
  step.letter = of(kLetter);
  step.number = of(kNumber);
  step.other = all_but(kSpace | kLetter | kNumber);
  return step;
}

// (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|
// \s+(?!\S)|\s+
WordStep cl100k_words(std::size_t number_max) {
  WordStep step = gpt2_words();
  step.contractions = Contractions::kAnyCase;
  step.letter_prefix = all_but(kNewline | kLetter | kNumber);
  step.number_max = number_max;
  step.other_tail = of(kNewline);
  step.newlines = true;
  return step;
}

// o200k: words split where upper case begins, [\r\n/]* after punctuation.
WordStep o200k_words(Contractions contractions, std::size_t number_max) {
  WordStep step = cl100k_words(number_max);
  step.contractions = contractions;
  step.cased = true;
  step.other_tail = {kNewline, {{'/', '/'}}};
  return step;
}

PreTokenizer gpt2() { return {{gpt2_words()}}; }
PreTokenizer starcoder() { return {{each_number(), gpt2_words()}}; }
PreTokenizer llama() { return {{cl100k_words(3)}}; }
PreTokenizer qwen2() { return {{cl100k_words(1)}}; }

// qwen2 with marks counted as letters.
WordStep qwen35_words() {
  WordStep step = cl100k_words(1);
  step.letter = of(kLetter | kMark);
  step.other = all_but(kSpace | kLetter | kMark | kNumber);
  return step;
}
PreTokenizer qwen35() { return {{qwen35_words()}}; }

PreTokenizer seed_coder() {
  WordStep step = cl100k_words(1);
  step.other_tail = {};
  return {{step}};
}

PreTokenizer tekken() { return {{o200k_words(Contractions::kNone, 1)}}; }
PreTokenizer gpt4o() { return {{o200k_words(Contractions::kAnyCase, 3)}}; }

// Runs of punctuation, then gpt-2, then runs of numbers, then [0-9][0-9][0-9].
PreTokenizer falcon() {
  return {{punctuation_step(false), gpt2_words(), runs(of(kNumber)), RunStep{{0, {{'0', '9'}}}, {}, 3, 3}}};
}

// [\r\n], then \s?\p{L}+, then \s?\p{P}+, then East Asian runs, then each number.
PreTokenizer deepseek_coder() {
  return {{RunStep{of(kNewline), {}, 1, 1}, RunStep{of(kLetter), of(kSpace)},
           RunStep{of(kPunctuation), of(kSpace)}, east_asian(), each_number()}};
}

// As deepseek-coder, but \p{L} is the letters of scripts that have case, and the punctuation a list.
Set cased_letters() {
  return {0,
          {{0x41, 0x5A},       {0x61, 0x7A},       {0xB5, 0xB5},       {0xC0, 0xD6},       {0xD8, 0xF6},
           {0xF8, 0x1BA},      {0x1BC, 0x1BF},     {0x1C4, 0x293},     {0x295, 0x2AF},     {0x370, 0x373},
           {0x376, 0x377},     {0x37B, 0x37D},     {0x37F, 0x37F},     {0x386, 0x386},     {0x388, 0x38A},
           {0x38C, 0x38C},     {0x38E, 0x3A1},     {0x3A3, 0x3F5},     {0x3F7, 0x481},     {0x48A, 0x52F},
           {0x531, 0x556},     {0x10A0, 0x10C5},   {0x13A0, 0x13F5},   {0x13F8, 0x13FD},   {0x1C90, 0x1CBA},
           {0x1CBD, 0x1CBF},   {0x1D00, 0x1D2B},   {0x1D6B, 0x1D77},   {0x1D79, 0x1D9A},   {0x1E00, 0x1F15},
           {0x1F18, 0x1F1D},   {0x1F20, 0x1F45},   {0x1F48, 0x1F4D},   {0x1F50, 0x1F57},   {0x1F59, 0x1F59},
           {0x1F5B, 0x1F5B},   {0x1F5D, 0x1F5D},   {0x1F5F, 0x1F7D},   {0x1F80, 0x1FB4},   {0x1FB6, 0x1FBC},
           {0x1FBE, 0x1FBE},   {0x1FC2, 0x1FC4},   {0x1FC6, 0x1FCC},   {0x1FD0, 0x1FD3},   {0x1FD6, 0x1FDB},
           {0x1FE0, 0x1FEC},   {0x1FF2, 0x1FF4},   {0x1FF6, 0x1FFC},   {0x2102, 0x2102},   {0x2107, 0x2107},
           {0x210A, 0x2113},   {0x2115, 0x2115},   {0x2119, 0x211D},   {0x2124, 0x2124},   {0x2126, 0x2126},
           {0x2128, 0x2128},   {0x212A, 0x212D},   {0x212F, 0x2134},   {0x2139, 0x2139},   {0x213C, 0x213F},
           {0x2145, 0x2149},   {0x214E, 0x214E},   {0x2183, 0x2184},   {0x2C00, 0x2C7B},   {0x2C7E, 0x2CE4},
           {0x2CEB, 0x2CEE},   {0x2CF2, 0x2CF3},   {0xA640, 0xA66D},   {0xA680, 0xA69B},   {0xA722, 0xA76F},
           {0xA771, 0xA787},   {0xA78B, 0xA78E},   {0xAB70, 0xABBF},   {0xFB00, 0xFB06},   {0xFB13, 0xFB17},
           {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},   {0x10400, 0x1044F}, {0x104B0, 0x104D3}, {0x104D8, 0x104FB},
           {0x10C80, 0x10CB2}, {0x10CC0, 0x10CF2}, {0x118A0, 0x118DF}, {0x1E900, 0x1E943}}};
}
PreTokenizer deepseek_llm() {
  const Set letters = cased_letters();
  const Set punctuation{
      0, {{'!', '/'}, {':', '~'}, {0xFF01, 0xFF0F}, {0xFF1A, 0xFF5E}, {0x2018, 0x201F}, {0x3000, 0x3002}}};
  return {{RunStep{of(kNewline), {}, 1, 1}, RunStep{letters, of(kSpace)}, RunStep{punctuation, of(kSpace)},
           TrailingSpaceStep{}, east_asian(), each_number()}};
}

// [一-龥぀-ゟ゠-ヿ]+
RunStep chinese_and_japanese() { return runs({0, {{0x4E00, 0x9FA5}, {0x3040, 0x30FF}}}); }

WordStep deepseek_v3_words() {
  WordStep step;
  step.ascii_words = true;
  step.letter_prefix = all_but(kNewline | kLetter | kPunctuation | kSymbol);
  step.letter = of(kLetter | kMark);
  step.other = of(kPunctuation | kSymbol);
  step.other_tail = of(kNewline);
  step.newlines = true;
  return step;
}

// \p{N}{1,3}, then [一-龥぀-ゟ゠-ヿ]+, then ASCII words, words with marks, punctuation, blanks.
PreTokenizer deepseek_v3() {
  return {{RunStep{of(kNumber), {}, 1, 3}, chinese_and_japanese(), deepseek_v3_words()}};
}

//  ?[^(\s|.,!?…。，、।۔،)]+
RunStep bloom_words() {
  return {{kSpace,
           {{'(', ')'},
            {'|', '|'},
            {'.', '.'},
            {',', ','},
            {'!', '!'},
            {'?', '?'},
            {0x2026, 0x2026},
            {0x3001, 0x3002},
            {0xFF0C, 0xFF0C},
            {0x964, 0x964},
            {0x6D4, 0x6D4},
            {0x60C, 0x60C}},
           true},
          {0, {{' ', ' '}}}};
}
PreTokenizer bloom() { return {{bloom_words()}}; }
PreTokenizer viking() { return {{bloom_words(), each_number()}}; }

// \p{N}+, then (?=(\d{3})+(?!\d))
PreTokenizer superbpe() { return {{runs(of(kNumber)), DigitGroupStep{}}}; }

struct Family {
  PreTokenizer (*make)();
  std::vector<std::string> names;
};

// Names that share an expression, as llama.cpp's converter writes them.
const std::vector<Family>& families() {
  static const std::vector<Family> kFamilies = {
      {gpt2,
       {"gpt-2", "mpt", "olmo", "jais", "phi-2", "roberta-bpe", "jina-v1-en", "jina-v2-es", "jina-v2-de",
        "jina-v2-code", "gigachat", "mellum", "modern-bert", "trillion", "granite-docling"}},
      {starcoder,
       {"starcoder", "smollm", "refact", "command-r", "codeshell", "exaone", "minerva-7b", "mellum2"}},
      {falcon, {"falcon"}},
      {llama,
       {"llama-bpe", "llama3", "llama-v3", "dbrx", "smaug-bpe", "chatglm-bpe", "glm4", "pixtral", "falcon3",
        "lfm2"}},
      {qwen2, {"qwen2", "stablelm2", "deepseek-r1-qwen", "megrez", "hunyuan", "grok-2", "solar-open"}},
      {qwen35, {"qwen35"}},
      {tekken, {"tekken"}},
      {gpt4o, {"gpt-4o", "llama4", "o200k_harmony", "minimax-m2"}},
      {deepseek_coder, {"deepseek-coder"}},
      {deepseek_llm, {"deepseek-llm"}},
      {deepseek_v3, {"deepseek-v3", "hunyuan-dense", "joyai-llm"}},
      {bloom, {"bloom", "poro-chat", "gpt3-finnish"}},
      {viking, {"viking"}},
      {seed_coder, {"seed-coder"}},
      {superbpe, {"superbpe"}},
  };
  return kFamilies;
}

// As published files write them, without the blanks that they share.
struct Expression {
  std::string_view text;
  SplitStep (*step)();
};

constexpr std::string_view kBlanks = R"(\s+(?!\S)|\s+)";
constexpr std::string_view kNewlineBlanks = R"(\s*[\r\n]+|\s+(?!\S)|\s+)";

const std::vector<Expression>& word_expressions() {
  static const std::vector<Expression> kExpressions = {
      {R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+)", gpt2_step},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*)",
       [] { return SplitStep(cl100k_words(3)); }},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*)",
       [] { return SplitStep(cl100k_words(1)); }},
      {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*)",
       [] { return SplitStep(qwen35_words()); }},
      {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+)"
       R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*)"
       R"(|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*)",
       [] { return SplitStep(o200k_words(Contractions::kNone, 1)); }},
      {R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
       R"(|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?)"
       R"(|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*)",
       [] { return SplitStep(o200k_words(Contractions::kAnyCase, 3)); }},
      {R"([!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*)",
       [] { return SplitStep(deepseek_v3_words()); }},
  };
  return kExpressions;
}

const std::vector<Expression>& run_expressions() {
  static const std::vector<Expression> kExpressions = {
      {R"(\p{N}{1,3})",
       [] {
         return SplitStep(RunStep{of(kNumber), {}, 1, 3});
       }},
      {R"(\p{N})", [] { return SplitStep(each_number()); }},
      {R"(\p{N}+)", [] { return SplitStep(number_step(false)); }},
      {"[0-9][0-9][0-9]",
       [] {
         return SplitStep(RunStep{{0, {{'0', '9'}}}, {}, 3, 3});
       }},
      {R"((?=(\d{3})+(?!\d)))", [] { return SplitStep(DigitGroupStep{}); }},
      {"[一-龥぀-ゟ゠-ヿ]+", [] { return SplitStep(chinese_and_japanese()); }},
      {"[一-龥ࠀ-一가-퟿]+", [] { return SplitStep(east_asian()); }},
      {R"([\r\n])",
       [] {
         return SplitStep(RunStep{of(kNewline), {}, 1, 1});
       }},
      {"[\r\n]",
       [] {
         return SplitStep(RunStep{of(kNewline), {}, 1, 1});
       }},
      {R"(\s?\p{L}+)",
       [] {
         return SplitStep(RunStep{of(kLetter), of(kSpace)});
       }},
      {R"(\s?\p{P}+)",
       [] {
         return SplitStep(RunStep{of(kPunctuation), of(kSpace)});
       }},
      {R"(\s+$)", [] { return SplitStep(TrailingSpaceStep{}); }},
      {R"( ?[^(\s|.,!?…。，、।۔،)]+)", [] { return SplitStep(bloom_words()); }},
  };
  return kExpressions;
}

bool is_one_of(std::string_view name, std::initializer_list<std::string_view> names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

}  // namespace

std::vector<std::string> covered_pre_tokenizers() {
  std::vector<std::string> names;
  for (const Family& family : families()) names.insert(names.end(), family.names.begin(), family.names.end());
  return names;
}

SplitStep gpt2_step() { return gpt2_words(); }

RunStep number_step(bool each) { return each ? RunStep{of(kNumber), {}, 1, 1} : runs(of(kNumber)); }

RunStep punctuation_step(bool each) {
  RunStep step = runs({kPunctuation, {{'!', '/'}, {':', '@'}, {'[', '`'}, {'{', '~'}}});
  if (each) step.max = 1;
  return step;
}

std::optional<SplitStep> step_of_expression(std::string_view expression) {
  for (const Expression& row : run_expressions()) {
    if (row.text == expression) return row.step();
  }
  for (const Expression& row : word_expressions()) {
    if (!expression.starts_with(row.text)) continue;
    const std::string_view rest = expression.substr(row.text.size());
    const SplitStep step = row.step();
    const std::string_view blanks = std::get<WordStep>(step).newlines ? kNewlineBlanks : kBlanks;
    if (rest.starts_with('|') && rest.substr(1) == blanks) return step;
  }
  return std::nullopt;
}

PreTokenizer make_pre_tokenizer(std::string_view name) {
  for (const Family& family : families()) {
    if (std::find(family.names.begin(), family.names.end(), name) == family.names.end()) continue;
    PreTokenizer pre = family.make();
    pre.nfc = is_one_of(name, {"qwen2", "mpt", "olmo"});
    pre.whole_words =
        is_one_of(name, {"llama-bpe", "llama3", "llama-v3", "falcon3", "pixtral", "lfm2", "tekken"});
    return pre;
  }
  const std::vector<std::string> names = covered_pre_tokenizers();
  fail(ErrorCode::kUnsupported, "pre-tokenizer '{}' is not covered{}; covered: {}", shorten(name, 40),
       did_you_mean(name, names), fmt::join(names, ", "));
}

std::optional<std::string> pre_tokenizer_name(const PreTokenizer& pre) {
  for (const std::string& name : covered_pre_tokenizers()) {
    if (make_pre_tokenizer(name) == pre) return name;
  }
  return std::nullopt;
}

}  // namespace micius
