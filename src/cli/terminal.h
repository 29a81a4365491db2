// What the terminal is like.
#pragma once

#include <cstddef>
#include <cstdio>

namespace micius {

bool is_terminal(std::FILE* stream);
// Colour and redrawing: only on a terminal that is not `dumb`, and not where NO_COLOR is set.
bool allows_colour(std::FILE* stream);
// Columns of the terminal behind `stream`; 120 where it is none.
std::size_t terminal_width(std::FILE* stream);
std::size_t terminal_height(std::FILE* stream);  // rows; 24 where it is none

}  // namespace micius
