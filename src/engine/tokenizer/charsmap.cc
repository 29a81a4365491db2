#include "engine/tokenizer/charsmap.h"

#include <algorithm>
#include <cstdint>

#include "base/error.h"

namespace micius {
namespace {

std::uint32_t little_endian(std::string_view bytes) {
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// A unit: label in bits 0 to 7 (bit 31 is set in units that hold a value), bit 8: a value follows, bits 10
// up: offset to the children, times 256 if bit 9 is set.
bool has_value(std::uint32_t unit) { return (unit >> 8 & 1) != 0; }
std::uint32_t label(std::uint32_t unit) { return unit & (0x80000000U | 0xFFU); }
std::size_t offset(std::uint32_t unit) { return std::size_t{unit >> 10} << ((unit & 0x200U) >> 6); }

}  // namespace

Charsmap::Charsmap(std::string_view block) {
  if (block.empty()) return;
  const std::size_t size = block.size() < 4 ? 0 : little_endian(block);
  if (size == 0 || size % 4 != 0 || size > block.size() - 4) {
    fail(ErrorCode::kInvalidData,
         "tokenizer: precompiled_charsmap: {} bytes cannot hold a trie of {} bytes and its size",
         block.size(), size);
  }
  for (std::size_t i = 4; i < size + 4; i += 4) units_.push_back(little_endian(block.substr(i)));
  replacements_ = block.substr(size + 4);
  if (replacements_.empty() || replacements_.back() != '\0')
    fail(ErrorCode::kInvalidData, "tokenizer: precompiled_charsmap: its last replacement has no end");
}

std::optional<Charsmap::Match> Charsmap::match(std::string_view text) const {
  std::optional<Match> longest;
  if (units_.empty()) return longest;
  std::size_t at = offset(units_[0]);
  text = text.substr(0, kMaxKey);
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    at ^= byte;
    if (at >= units_.size() || label(units_[at]) != byte) break;
    const std::uint32_t unit = units_[at];
    at ^= offset(unit);
    if (!has_value(unit)) continue;
    if (at >= units_.size()) break;
    const std::size_t place = units_[at] & 0x7FFFFFFFU;
    if (place < replacements_.size()) longest = Match{i + 1, replacements_.c_str() + place};
  }
  return longest;
}

}  // namespace micius
