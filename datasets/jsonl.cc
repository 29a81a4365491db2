#include "datasets/jsonl.h"

#include <utility>
#include <vector>

#include "base/error.h"
#include "core/dataset_file.h"
#include "datasets/rows.h"
#include "datasets/source_file.h"

namespace micius {
namespace {

class JsonlRows final : public Rows {
 public:
  explicit JsonlRows(const std::filesystem::path& path) : file_(path) {
    const std::string_view text = file_.text();
    for_each_line(text, [&](std::string_view line, std::size_t number) {
      if (line.find_first_not_of(" \t\r") == std::string_view::npos) return;
      lines_.push_back({static_cast<std::size_t>(line.data() - text.data()), line.size(), number});
    });
    if (lines_.empty()) {
      fail(ErrorCode::kInvalidData, "{}: no rows; expected one JSON object a line", path.string());
    }
  }

  std::size_t size() const override { return lines_.size(); }

  Json row(std::size_t index) const override {
    const Line& line = lines_.at(index);
    Json row = parse_json(file_.text().substr(line.offset, line.size), where(index));
    if (!row.is_object()) {
      fail(ErrorCode::kInvalidData, "{}: expected an object, found {}", where(index), row.type_name());
    }
    return row;
  }

  std::string where(std::size_t index) const override {
    return fmt::format("{}:{}", file_.path().string(), lines_.at(index).number);
  }

  std::string content_hash() const override { return file_.sha256(); }

 private:
  struct Line {
    std::size_t offset, size, number;
  };
  SourceFile file_;
  std::vector<Line> lines_;
};

}  // namespace

std::unique_ptr<Dataset> open_jsonl(const Spec& spec, const DataRoots& roots) {
  return make_dataset(spec, std::make_unique<JsonlRows>(require_dataset_file(spec, roots)));
}

}  // namespace micius
