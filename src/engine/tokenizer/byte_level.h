// GPT-2's alphabet: each byte is one printable character of a vocabulary (the blank is U+0120).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace micius {

// The character that stands for `byte`, as UTF-8.
std::string byte_level_character(unsigned char byte);

// The bytes that `token` stands for; absent if a character of it is not in the alphabet.
std::optional<std::string> byte_level_bytes(std::string_view token);

}  // namespace micius
