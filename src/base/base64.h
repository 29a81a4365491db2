// Base64 (RFC 4648, section 4): bytes as letters, digits, '+' and '/'.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace micius {

std::string encode_base64(std::string_view bytes);  // with '=' at the end, where it has to be

// Absent for text that has other characters. '=' may be missing at the end; bits that fill no byte are left
// out.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace micius
