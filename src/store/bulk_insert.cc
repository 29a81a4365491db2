#include <algorithm>
#include <span>

#include <fmt/format.h>

#include "store/bulk_insert_internal.h"

namespace micius {

std::size_t rows_at_once(std::size_t rows) {
  std::size_t size = 1;
  while (size < BulkInsert::kMostRows && 2 * size <= rows) size *= 2;
  return size;
}

std::string repeated(std::string_view part, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) {
    if (i > 0) text += ", ";
    text += part;
  }
  return text;
}

BulkInsert::BulkInsert(Database& database, std::string_view table, std::string_view columns,
                       std::string ending)
    : database_(&database),
      head_(fmt::format("INSERT INTO {} ({}) VALUES ", table, columns)),
      ending_(std::move(ending)),
      columns_(1 + static_cast<std::size_t>(std::count(columns.begin(), columns.end(), ','))) {
  values_of_row_ = "(" + repeated("?", columns_) + ")";
}

BulkInsert::Owned BulkInsert::owned(const SqlValue& value) {
  if (const auto* text = std::get_if<std::string_view>(&value)) return std::string(*text);
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return {};
}

Statement& BulkInsert::statement(std::size_t rows) {
  const auto known = statements_.find(rows);
  if (known != statements_.end()) return known->second;
  return statements_
      .emplace(std::piecewise_construct, std::forward_as_tuple(rows),
               std::forward_as_tuple(*database_, head_ + repeated(values_of_row_, rows) + ending_))
      .first->second;
}

void BulkInsert::insert(const std::function<void(const Statement&)>& row) {
  const std::vector<Owned> values = std::exchange(values_, {});
  std::vector<SqlValue> borrowed;
  for (const Owned& value : values)
    borrowed.push_back(std::visit([](const auto& v) -> SqlValue { return v; }, value));
  std::span<const SqlValue> left = borrowed;
  while (!left.empty()) {
    const std::size_t rows = rows_at_once(left.size() / columns_);
    Statement& of = statement(rows);
    of.bind_all(left.first(rows * columns_));
    while (of.step()) {
      if (row) row(of);
    }
    of.reset();
    left = left.subspan(rows * columns_);
  }
}

}  // namespace micius
