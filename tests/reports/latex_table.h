// Reads what a LaTeX report holds, as LaTeX would: enough of it for tables of text.
#pragma once

#include <string>
#include <vector>

namespace micius {

struct LatexCell {
  std::string text;  // without commands: "40.9 [40.2, 42.0]"
  bool is_bold = false;
};

struct LatexTable {
  std::string columns;  // "lrr"
  std::vector<std::vector<LatexCell>> rows;
};

// All tabulars. Throws std::runtime_error, naming the line, where LaTeX would stop or not show what is meant:
// a brace or an environment that does not end, a row of another number of cells than the table has columns,
// an unknown command, a special character outside its meaning, a bracket or star behind the end of a row.
std::vector<LatexTable> read_latex(const std::string& text);

}  // namespace micius
