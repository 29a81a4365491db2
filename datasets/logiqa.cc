#include "datasets/logiqa.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"
#include "core/dataset_file.h"
#include "datasets/rows.h"

namespace micius {
namespace {

constexpr std::size_t kOptions = 4, kLines = 3 + kOptions;

std::string normal(std::string_view text) {
  return std::string(strip(replace_all(std::string(text), ".", ". ")));
}

class LogiqaRows final : public Rows {
 public:
  explicit LogiqaRows(const SourceFile& file) : path_(file.path().string()) {
    hash_ = file.sha256();
    std::vector<std::string_view> record;
    std::size_t first = 0;
    for_each_line(file.text(), [&](std::string_view line, std::size_t number) {
      if (!is_valid_utf8(line)) fail(ErrorCode::kInvalidData, "{}:{}: not valid UTF-8", path_, number);
      if (strip(line).empty()) return add(std::exchange(record, {}), first);
      if (record.empty()) first = number;
      record.push_back(line);
    });
    add(record, first);
    if (rows_.empty()) fail(ErrorCode::kInvalidData, "{}: no rows", path_);
  }

  std::size_t size() const override { return rows_.size(); }
  Json row(std::size_t index) const override { return rows_.at(index).row; }
  std::string where(std::size_t index) const override {
    return fmt::format("{}:{}", path_, rows_.at(index).line);
  }
  std::string content_hash() const override { return hash_; }

 private:
  struct Row {
    Json row;
    std::size_t line;
  };

  void add(const std::vector<std::string_view>& record, std::size_t line) {
    if (record.empty()) return;
    if (record.size() != kLines) {
      fail(
          ErrorCode::kInvalidData,
          "{}:{}: a record of {} lines; expected {}: the letter of the answer, passage, question, {} options",
          path_, line, record.size(), kLines, kOptions);
    }
    Json options = Json::array();
    for (std::size_t i = 3; i < kLines; ++i) {
      if (record[i].size() < 2 || record[i][1] != '.') {
        fail(ErrorCode::kInvalidData, "{}:{}: an option begins with its letter and a full stop", path_,
             line + i);
      }
      options.push_back(normal(record[i].substr(2)));
    }
    rows_.push_back({{{"label", strip(record[0])},
                      {"context", normal(record[1])},
                      {"question", normal(record[2])},
                      {"options", std::move(options)}},
                     line});
  }

  std::string path_, hash_;
  std::vector<Row> rows_;
};

}  // namespace

std::unique_ptr<Dataset> open_logiqa(const Spec& spec, const DataRoots& roots, SourceFiles& files) {
  return make_dataset(spec, std::make_unique<LogiqaRows>(*files.open(require_dataset_file(spec, roots))));
}

}  // namespace micius
