// Text in lines of a width.
#pragma once

#include <cstddef>
#include <string>

namespace micius {

// Words one blank apart, in lines of at most `width` code points, but for words that are longer; the second
// and later lines are indented.
std::string wrap(const std::string& text, std::size_t width, std::size_t indent);

}  // namespace micius
