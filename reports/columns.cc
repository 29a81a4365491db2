#include <algorithm>
#include <string_view>

#include "base/text.h"
#include "reports/columns_internal.h"

namespace micius {
namespace {

constexpr std::size_t kGap = 2, kShortest = 6;

std::string blanks(std::size_t n) { return std::string(n, ' '); }

std::size_t columns_before_point(std::string_view cell) {
  const std::size_t point = cell.find('.');
  if (point != std::string_view::npos) return point;
  std::size_t digits = 0;
  while (digits < cell.size() && (cell[digits] == '-' || (cell[digits] >= '0' && cell[digits] <= '9')))
    ++digits;
  return digits;
}

// "-" stays as it is: the column puts it at its right edge.
void align_decimal(std::vector<std::string>& cells) {
  std::size_t before = 0, after = 0;
  for (const std::string& cell : cells) before = std::max(before, columns_before_point(cell));
  for (std::string& cell : cells) {
    if (cell.empty() || cell == "-") continue;
    cell = blanks(before - columns_before_point(cell)) + cell;
    after = std::max(after, code_points(cell));
  }
  for (std::string& cell : cells)
    if (!cell.empty() && cell != "-") cell += blanks(after - code_points(cell));
}

// Pads the number behind the separator, so that both numbers stand at the right of their place.
void align_pair(std::vector<std::string>& cells) {
  const auto second_of = [](const std::string& cell) { return cell.rfind(' ') + 1; };  // 0: no pair
  std::size_t width = 0;
  for (const std::string& cell : cells)
    if (second_of(cell) > 0) width = std::max(width, cell.size() - second_of(cell));
  for (std::string& cell : cells) {
    const std::size_t at = second_of(cell);
    if (at > 0) cell.insert(at, width - (cell.size() - at), ' ');
  }
}

std::size_t width_of(const Column& column) {
  std::size_t width = code_points(column.head);
  for (const std::string& cell : column.cells) width = std::max(width, code_points(cell));
  return width;
}

std::size_t width_of(const std::vector<Column>& columns) {
  std::size_t width = columns.empty() ? 0 : kGap * (columns.size() - 1);
  for (const Column& column : columns) width += width_of(column);
  return width;
}

std::string cut(const std::string& text, std::size_t width) {
  return code_points(text) <= width ? text : shorten(text, width - 3);
}

void shorten_names(std::vector<Column>& columns, std::size_t width) {
  while (width_of(columns) > width) {
    Column* widest = nullptr;
    for (Column& column : columns)
      if (column.align == Align::kLeft && (widest == nullptr || width_of(column) > width_of(*widest)))
        widest = &column;
    if (widest == nullptr || width_of(*widest) <= kShortest) return;
    const std::size_t target = width_of(*widest) - 1;
    if (target < code_points(widest->head)) return;
    for (std::string& cell : widest->cells) cell = cut(cell, target);
  }
}

std::string line_of(const std::vector<Column>& columns, const std::vector<std::size_t>& widths,
                    const std::vector<std::string>& cells) {
  std::string line;
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const std::string space = blanks(widths[c] - code_points(cells[c]));
    if (c > 0) line += blanks(kGap);
    line += columns[c].align == Align::kLeft ? cells[c] + space : space + cells[c];
  }
  return std::string(strip_right(line));
}

}  // namespace

Layout lay_out(std::vector<Column> columns, std::size_t width, std::size_t keep) {
  Layout layout;
  for (Column& column : columns) {
    if (column.align == Align::kDecimal) align_decimal(column.cells);
    if (column.align == Align::kPair) align_pair(column.cells);
  }
  while (columns.size() > keep && width_of(columns) > width) {
    layout.left_out.insert(layout.left_out.begin(), columns.back().head);
    columns.pop_back();
  }
  shorten_names(columns, width);
  std::vector<std::size_t> widths;
  std::vector<std::string> heads;
  for (const Column& column : columns) {
    widths.push_back(width_of(column));
    heads.push_back(column.head);
  }
  layout.lines = {line_of(columns, widths, heads)};
  const std::size_t rows = columns.empty() ? 0 : columns.front().cells.size();
  for (std::size_t row = 0; row < rows; ++row) {
    std::vector<std::string> cells;
    for (const Column& column : columns) cells.push_back(column.cells[row]);
    layout.lines.push_back(line_of(columns, widths, cells));
  }
  return layout;
}

}  // namespace micius
