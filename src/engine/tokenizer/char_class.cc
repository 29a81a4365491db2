#include "engine/tokenizer/char_class.h"

#include <array>
#include <cstddef>

#include <utf8proc.h>

#include "base/text.h"

namespace micius::char_class {
namespace {

static_assert(UTF8PROC_CATEGORY_LU == 1 && UTF8PROC_CATEGORY_MN == 6 && UTF8PROC_CATEGORY_ND == 9 &&
              UTF8PROC_CATEGORY_PC == 12 && UTF8PROC_CATEGORY_SM == 19 && UTF8PROC_CATEGORY_CO == 29);

bool is_white_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

Bits look_up(char32_t c) {
  Bits bits = category(utf8proc_category(static_cast<utf8proc_int32_t>(c)));
  if (is_white_space(c)) bits |= kSpace;
  if (c == '\r' || c == '\n') bits |= kNewline;
  return bits;
}

}  // namespace

Bits bits_of(char32_t c) {
  static const std::array<Bits, 128> kAscii = [] {
    std::array<Bits, 128> table{};
    for (char32_t i = 0; i < table.size(); ++i) table[i] = look_up(i);
    return table;
  }();
  return c < kAscii.size() ? kAscii[c] : look_up(c);
}

Characters take_apart(std::string_view text) {
  Characters out;
  out.code.reserve(text.size());
  out.bits.reserve(text.size());
  out.offset.reserve(text.size() + 1);
  for (std::size_t i = 0; i < text.size();) {
    out.offset.push_back(static_cast<std::uint32_t>(i));
    const char32_t c = next_code_point(text, i);
    out.code.push_back(c);
    out.bits.push_back(bits_of(c));
  }
  out.offset.push_back(static_cast<std::uint32_t>(text.size()));
  return out;
}

}  // namespace micius::char_class
