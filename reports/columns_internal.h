// Fixed columns for a terminal.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace micius {

// kLeft: names, shortened where a table is too wide. kDecimal: numbers one under the other at the decimal
// point. kPair: two numbers around a separator (" .. ", " / "), each at the right of its place.
enum class Align { kLeft, kRight, kDecimal, kPair };

struct Column {
  std::string head;
  Align align = Align::kLeft;
  std::vector<std::string> cells;  // one a row; visible lines
};

struct Layout {
  std::vector<std::string> lines;     // the heads, then one a row
  std::vector<std::string> left_out;  // heads of the columns that fell away
};

// Two blanks between columns, no blanks at the end. Lines are at most `width` columns wide: columns fall away
// from the right until they fit, but the first `keep` stay; then the widest names are shortened.
Layout lay_out(std::vector<Column> columns, std::size_t width, std::size_t keep);

}  // namespace micius
