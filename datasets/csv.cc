#include "datasets/csv.h"

#include <algorithm>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/dataset_file.h"
#include "datasets/rows.h"

namespace micius {
namespace {

constexpr std::size_t kMaxColumns = 4096;  // finding a field in a row takes time by its columns

// Reads records one after the other.
class Reader {
 public:
  Reader(std::string_view text, std::size_t offset, std::size_t line, const std::string& path)
      : text_(text), offset_(offset), line_(line), path_(path) {}

  bool at_end() const { return offset_ == text_.size(); }
  std::size_t offset() const { return offset_; }
  std::size_t line() const { return line_; }

  // The cells of the next record; none for an empty line. Must not be at the end.
  std::vector<std::string> record() {
    record_line_ = line_;
    std::vector<std::string> cells;
    for (;;) {
      const bool quoted = !at_end() && text_[offset_] == '"';
      cells.push_back(quoted ? quoted_cell() : plain_cell());
      if (cells.back().find('\0') != std::string::npos) broken("a NUL byte");
      if (!is_valid_utf8(cells.back())) broken("not valid UTF-8");
      if (!at_end() && text_[offset_] == ',') {
        ++offset_;
        continue;
      }
      if (!end_line()) broken("text behind a closing quote; a quote inside a cell is written twice");
      if (cells.size() == 1 && cells[0].empty() && !quoted) cells.clear();
      return cells;
    }
  }

 private:
  [[noreturn]] void broken(std::string_view what) const {
    fail(ErrorCode::kInvalidData, "{}:{}: {}", path_, record_line_, what);
  }

  std::string plain_cell() {
    std::size_t end = std::min(text_.find_first_of(",\n\"", offset_), text_.size());
    if (end < text_.size() && text_[end] == '"') broken("a quote inside a cell that does not begin with one");
    const std::size_t start = std::exchange(offset_, end);
    if (end < text_.size() && text_[end] == '\n' && end > start && text_[end - 1] == '\r') --offset_;
    return std::string(text_.substr(start, offset_ - start));
  }

  std::string quoted_cell() {
    std::string cell;
    for (++offset_;;) {
      const std::size_t end = text_.find('"', offset_);
      if (end == std::string_view::npos) broken("a quoted cell begins in this record and never ends");
      const std::string_view part = text_.substr(offset_, end - offset_);
      line_ += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
      cell += part;
      offset_ = end + 1;
      if (at_end() || text_[offset_] != '"') return cell;
      cell += '"';
      ++offset_;
    }
  }

  bool end_line() {
    if (at_end()) return true;
    if (text_.substr(offset_, 2) == "\r\n") ++offset_;
    if (text_[offset_] != '\n') return false;
    ++offset_;
    ++line_;
    return true;
  }

  std::string_view text_;
  std::size_t offset_, line_;
  std::size_t record_line_ = 0;
  const std::string& path_;
};

class CsvRows final : public Rows {
 public:
  explicit CsvRows(std::shared_ptr<const SourceFile> file)
      : file_(std::move(file)), path_(file_->path().string()) {
    const std::string_view text = file_->text();
    const std::string_view mark = "\xEF\xBB\xBF";
    Reader reader(text, text.substr(0, mark.size()) == mark ? mark.size() : 0, 1, path_);
    if (!reader.at_end()) header_ = reader.record();
    check_header();
    while (!reader.at_end()) {
      const Record record{reader.offset(), reader.line()};
      const std::size_t cells = reader.record().size();
      if (cells == 0) continue;
      if (cells != header_.size()) {
        fail(ErrorCode::kInvalidData, "{}:{}: {} cells, the header has {}", path_, record.line, cells,
             header_.size());
      }
      records_.push_back(record);
    }
    if (records_.empty()) fail(ErrorCode::kInvalidData, "{}: no rows below the header", path_);
  }

  std::size_t size() const override { return records_.size(); }

  Json row(std::size_t index) const override {
    const Record& record = records_.at(index);
    std::vector<std::string> cells = Reader(file_->text(), record.offset, record.line, path_).record();
    Json row = Json::object();
    for (std::size_t i = 0; i < header_.size(); ++i) row[header_[i]] = std::move(cells[i]);
    return row;
  }

  std::string where(std::size_t index) const override {
    return fmt::format("{}:{}", path_, records_.at(index).line);
  }

  std::string content_hash() const override { return file_->sha256(); }

 private:
  struct Record {
    std::size_t offset, line;
  };

  void check_header() const {
    if (header_.empty()) fail(ErrorCode::kInvalidData, "{}:1: expected a line of column names", path_);
    if (header_.size() > kMaxColumns)
      fail(ErrorCode::kInvalidData, "{}:1: more than {} columns", path_, kMaxColumns);
    std::set<std::string> seen;
    for (const std::string& name : header_) {
      if (!seen.insert(name).second)
        fail(ErrorCode::kInvalidData, "{}:1: column '{}' is there twice", path_, name);
    }
  }

  std::shared_ptr<const SourceFile> file_;
  std::string path_;
  std::vector<std::string> header_;
  std::vector<Record> records_;
};

}  // namespace

std::unique_ptr<Dataset> open_csv(const Spec& spec, const DataRoots& roots, SourceFiles& files) {
  return make_dataset(spec, std::make_unique<CsvRows>(files.open(require_dataset_file(spec, roots))));
}

}  // namespace micius
