#include "engine/tokenizer/spm_file.h"

#include <cstring>
#include <optional>

#include "base/error.h"

namespace micius {
namespace {

// A message's fields in file order: tag, then a number or a run of bytes. Never reads behind its end.
class Fields {
 public:
  Fields(std::string_view bytes, std::size_t start, const std::string& file)
      : bytes_(bytes), start_(start), file_(&file) {}

  // Moves to the next field; false at the end.
  bool next() {
    if (at_ == bytes_.size()) return false;
    const std::uint64_t tag = varint();
    number_ = tag >> 3;
    switch (tag & 7) {
      case 0:
        value_ = varint();
        break;
      case 1:
        data_ = take(8);
        break;
      case 2:
        data_ = take(varint());
        break;
      case 5:
        data_ = take(4);
        break;
      default:
        broken("a field of a known kind");
    }
    kind_ = tag & 7;
    return true;
  }

  std::uint64_t number() const { return number_; }
  std::uint64_t value() const {
    if (kind_ != 0) broken("a number");
    return value_;
  }
  float real() const {
    if (kind_ != 5) broken("a 32-bit number");
    float value = 0;
    std::memcpy(&value, data_.data(), sizeof value);
    return value;
  }
  std::string_view bytes() const {
    if (kind_ != 2) broken("bytes");
    return data_;
  }
  Fields message() const { return {bytes(), start_ + at_ - data_.size(), *file_}; }

  [[noreturn]] void broken(std::string_view expected) const {
    fail(ErrorCode::kInvalidData, "{}: byte {}: expected {}; is it a SentencePiece model?", *file_,
         start_ + at_, expected);
  }
  [[noreturn]] void not_covered(std::string_view what) const {
    fail(ErrorCode::kUnsupported, "{}: the engine's tokenizers do not cover {}", *file_, what);
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (at_ == bytes_.size()) broken("the rest of a number");
      const auto byte = static_cast<unsigned char>(bytes_[at_++]);
      value |= std::uint64_t{byte & 0x7FU} << shift;
      if (byte < 0x80) return value;
    }
    broken("a number of at most ten bytes");
  }

  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) broken("a field that ends inside the file");
    const std::string_view taken = bytes_.substr(at_, size);
    at_ += size;
    return taken;
  }

  std::string_view bytes_;
  std::size_t start_;  // of the message in the file
  const std::string* file_;
  std::size_t at_ = 0;
  std::uint64_t number_ = 0, value_ = 0, kind_ = 0;
  std::string_view data_;
};

// SentencePiece's numbers of a piece's type are GGUF's.
void read_piece(Fields fields, TokenizerData& data) {
  std::string token;
  float score = 0;
  std::uint64_t kind = 1;
  while (fields.next()) {
    if (fields.number() == 1) token = fields.bytes();
    if (fields.number() == 2) score = fields.real();
    if (fields.number() == 3) kind = fields.value();
  }
  if (kind < 1 || kind > 6) fields.broken("a piece of type 1 to 6");
  if (kind == static_cast<std::uint64_t>(TokenKind::kUnknown))
    data.unknown = static_cast<TokenId>(data.tokens.size());
  data.tokens.push_back(std::move(token));
  data.scores.push_back(score);
  data.kinds.push_back(static_cast<TokenKind>(kind));
}

std::optional<TokenId> id_if(std::uint64_t value) {
  const auto id = static_cast<std::int32_t>(value);
  return id < 0 ? std::nullopt : std::optional<TokenId>(id);
}

void read_trainer(Fields fields, TokenizerData& data) {
  std::uint64_t type = 1;
  data.bos = 1;
  data.eos = 2;
  while (fields.next()) {
    if (fields.number() == 3) type = fields.value();
    if (fields.number() == 24 && fields.value() != 0) {
      fields.not_covered("trainer_spec.treat_whitespace_as_suffix");
    }
    if (fields.number() == 41) data.bos = id_if(fields.value());
    if (fields.number() == 42) data.eos = id_if(fields.value());
  }
  if (type != 1 && type != 2) {
    fields.not_covered(fmt::format("trainer_spec.model_type {}, only unigram (1) and BPE (2)", type));
  }
  data.model = type == 1 ? "t5" : "llama";
}

void read_normalizer(Fields fields, TokenizerData& data) {
  bool prefix = true, trims = true;
  while (fields.next()) {
    if (fields.number() == 2) data.charsmap = fields.bytes();
    if (fields.number() == 3) prefix = fields.value() != 0;
    if (fields.number() == 4) trims = fields.value() != 0;
    if (fields.number() == 5 && fields.value() == 0) {
      fields.not_covered("normalizer_spec.escape_whitespaces off");
    }
  }
  data.prefix = prefix ? BlankPrefix::kEveryPart : BlankPrefix::kNone;
  data.blanks = trims ? Blanks::kTrimmed : Blanks::kKept;
}

}  // namespace

TokenizerData read_spm_file(std::string_view bytes, const std::string& file) {
  TokenizerData data;
  Fields fields(bytes, 0, file);
  while (fields.next()) {
    if (fields.number() == 1) read_piece(fields.message(), data);
    if (fields.number() == 2) read_trainer(fields.message(), data);
    if (fields.number() == 3) read_normalizer(fields.message(), data);
  }
  if (data.model.empty()) fields.broken("a trainer_spec");
  const auto keep_inside = [&](std::optional<TokenId>& id) {
    if (id && static_cast<std::size_t>(*id) >= data.tokens.size()) id.reset();
  };
  keep_inside(data.bos);
  keep_inside(data.eos);
  data.add_bos = data.model == "llama" && data.bos.has_value();
  data.add_eos = data.model == "t5" && data.eos.has_value();
  return data;
}

}  // namespace micius
