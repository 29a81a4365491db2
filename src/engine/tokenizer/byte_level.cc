#include "engine/tokenizer/byte_level.h"

#include <array>

#include "base/text.h"

namespace micius {
namespace {

// Printable Latin-1 characters stand for themselves, the other 68 bytes follow from U+0100 in order.
struct Alphabet {
  std::array<char32_t, 256> character;
  std::array<int, 0x144> byte;  // -1: not in the alphabet
};

const Alphabet& alphabet() {
  static const Alphabet kAlphabet = [] {
    Alphabet a{};
    a.byte.fill(-1);
    char32_t next = 0x100;
    for (char32_t b = 0; b < 256; ++b) {
      const bool printable = (b >= 0x21 && b <= 0x7E) || (b >= 0xA1 && b <= 0xFF && b != 0xAD);
      a.character[b] = printable ? b : next++;
      a.byte[a.character[b]] = static_cast<int>(b);
    }
    return a;
  }();
  return kAlphabet;
}

}  // namespace

std::string byte_level_character(unsigned char byte) {
  std::string text;
  append_utf8(text, alphabet().character[byte]);
  return text;
}

std::optional<std::string> byte_level_bytes(std::string_view token) {
  const auto& bytes = alphabet().byte;
  std::string out;
  out.reserve(token.size());
  for (std::size_t i = 0; i < token.size();) {
    const char32_t c = next_code_point(token, i);
    if (c >= bytes.size() || bytes[c] < 0) return std::nullopt;
    out.push_back(static_cast<char>(bytes[c]));
  }
  return out;
}

}  // namespace micius
