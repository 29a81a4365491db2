#include <atomic>
#include <cassert>
#include <charconv>
#include <cmath>
#include <libpq-fe.h>

#include "store/postgres/cursor_internal.h"

namespace micius {
namespace {

// PostgreSQL has no U+0000 in a text, so U+0001 and a digit stand for it and for itself.
constexpr char kEscape = '\x01', kNul = '0', kItself = '1';

std::string escaped(std::string_view text) {
  constexpr std::string_view kSpecial{"\0\x01", 2};
  std::string escaped;
  for (std::size_t end = 0; (end = text.find_first_of(kSpecial)) != text.npos; text.remove_prefix(end + 1)) {
    escaped += text.substr(0, end);
    escaped += kEscape;
    escaped += text[end] == '\0' ? kNul : kItself;
  }
  return escaped.append(text);
}

std::string unescaped(std::string_view text) {
  std::string plain;
  for (std::size_t end = 0; (end = text.find(kEscape)) != text.npos && end + 1 < text.size();
       text.remove_prefix(end + 2)) {
    plain += text.substr(0, end);
    plain += text[end + 1] == kNul ? '\0' : kEscape;
  }
  return plain.append(text);
}

// `?` as `$1`, `$2`, ..
std::string numbered(std::string_view sql) {
  std::string text;
  int parameters = 0;
  for (const char c : sql) {
    if (c == '?') {
      text += fmt::format("${}", ++parameters);
    } else {
      text += c;
    }
  }
  return text;
}

std::optional<std::string> parameter(std::monostate) { return std::nullopt; }
std::optional<std::string> parameter(std::int64_t value) { return std::to_string(value); }
// As SQLite keeps them: NaN as NULL, and one zero.
std::optional<std::string> parameter(double value) {
  if (std::isnan(value)) return std::nullopt;
  return fmt::format("{}", value + 0.0);
}
std::optional<std::string> parameter(std::string_view value) { return escaped(value); }

std::string next_name() {
  static std::atomic<std::uint64_t> next{0};  // only has to differ within a connection
  return fmt::format("micius_{}", ++next);
}

template <typename Number>
Number number_from(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

[[maybe_unused]] bool only_reads(std::string_view sql) { return sql.starts_with("SELECT"); }

}  // namespace

PostgresCursor::PostgresCursor(PostgresDatabase& database, std::string_view sql)
    : database_(&database), sql_(numbered(sql)) {}

PostgresCursor::~PostgresCursor() {
  if (prepared_.empty() || generation_ != database_->connection().generation()) return;
  // Where it fails the connection is gone, or its transaction is; then the statement stays until it closes.
  PQclear(PQexec(database_->connection().handle(), ("DEALLOCATE " + prepared_).c_str()));
}

void PostgresCursor::bind(std::span<const SqlValue> values) {
  reset();
  values_.clear();
  for (const SqlValue& value : values)
    values_.push_back(std::visit([](const auto& v) { return parameter(v); }, value));
}

bool PostgresCursor::step() {
  if (!result_) {
    assert(only_reads(sql_) || database_->is_transacting());
    result_ = database_->send([this](pg_conn* connection) { return execute(connection); });
    row_ = -1;
  }
  return ++row_ < PQntuples(result_.get());
}

void PostgresCursor::reset() { result_.reset(); }

pg_result* PostgresCursor::execute(pg_conn* connection) {
  std::vector<const char*> values;
  for (const auto& value : values_) values.push_back(value ? value->c_str() : nullptr);
  const int count = static_cast<int>(values.size());
  constexpr int kText = 0;
  if (!was_sent_) {
    was_sent_ = true;
    return PQexecParams(connection, sql_.c_str(), count, nullptr, values.data(), nullptr, nullptr, kText);
  }
  const int generation = database_->connection().generation();
  if (prepared_.empty() || generation_ != generation) {
    const std::string name = next_name();
    database_->connection().checked(PQprepare(connection, name.c_str(), sql_.c_str(), count, nullptr));
    prepared_ = name;
    generation_ = generation;
  }
  return PQexecPrepared(connection, prepared_.c_str(), count, values.data(), nullptr, nullptr, kText);
}

std::string_view PostgresCursor::cell(int column) const {
  return {PQgetvalue(result_.get(), row_, column),
          static_cast<std::size_t>(PQgetlength(result_.get(), row_, column))};
}

int PostgresCursor::columns() const { return PQnfields(result_.get()); }
std::string PostgresCursor::column_name(int column) const { return PQfname(result_.get(), column); }
bool PostgresCursor::is_null(int column) const { return PQgetisnull(result_.get(), row_, column) == 1; }
std::int64_t PostgresCursor::integer(int column) const {
  const std::string_view text = cell(column);
  return text == "t" ? 1 : number_from<std::int64_t>(text);
}
double PostgresCursor::real(int column) const { return number_from<double>(cell(column)); }
std::string PostgresCursor::text(int column) const { return unescaped(cell(column)); }

Json PostgresCursor::json(int column) const {
  constexpr Oid kInt8 = 20, kInt4 = 23, kFloat8 = 701, kNumeric = 1700;  // pg_type's. A sum is numeric
  if (is_null(column)) return nullptr;
  switch (PQftype(result_.get(), column)) {
    case kInt8:
    case kInt4:
      return integer(column);
    case kNumeric:
      return cell(column).find('.') == std::string_view::npos ? Json(integer(column)) : Json(real(column));
    case kFloat8:
      return real(column);
    default:
      return text(column);
  }
}

}  // namespace micius
