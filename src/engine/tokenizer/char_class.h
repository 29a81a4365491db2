// Classes of code points for pre-tokenizers: general categories and a few sets as bits of one word.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace micius::char_class {

// Bits 0 to 29 are utf8proc's category numbers.
using Bits = std::uint32_t;
constexpr Bits category(int number) { return Bits{1} << number; }

constexpr Bits kUpper = category(1);                                                 // Lu
constexpr Bits kLower = category(2);                                                 // Ll
constexpr Bits kTitle = category(3);                                                 // Lt
constexpr Bits kModifierLetter = category(4);                                        // Lm
constexpr Bits kOtherLetter = category(5);                                           // Lo
constexpr Bits kLetter = kUpper | kLower | kTitle | kModifierLetter | kOtherLetter;  // \p{L}
constexpr Bits kMark = category(6) | category(7) | category(8);                      // \p{M}
constexpr Bits kNumber = category(9) | category(10) | category(11);                  // \p{N}
constexpr Bits kPunctuation = category(12) | category(13) | category(14) | category(15) | category(16) |
                              category(17) | category(18);                           // \p{P}
constexpr Bits kSymbol = category(19) | category(20) | category(21) | category(22);  // \p{S}
constexpr Bits kSpace = Bits{1} << 30;    // \s: Unicode White_Space
constexpr Bits kNewline = Bits{1} << 31;  // CR and LF

// All bits of one code point.
Bits bits_of(char32_t code_point);

// A text taken apart once. Both views have one entry a code point; `offset` has one more, the text's size.
struct Characters {
  std::u32string code;
  std::vector<Bits> bits;
  std::vector<std::uint32_t> offset;  // of the code point's first byte
};

// `text` must be shorter than 4 GiB; ill-formed parts count as U+FFFD.
Characters take_apart(std::string_view text);

// A set: every code point with one of `bits` or inside one of `ranges` (both ends belong), or, where
// `negated`, every other one.
struct Set {
  Bits bits = 0;
  std::vector<std::pair<char32_t, char32_t>> ranges;
  bool negated = false;

  bool operator==(const Set&) const = default;
  bool has(char32_t code, Bits code_bits) const {
    if ((bits & code_bits) != 0) return !negated;
    for (const auto& [first, last] : ranges) {
      if (code >= first && code <= last) return !negated;
    }
    return negated;
  }
};

}  // namespace micius::char_class
