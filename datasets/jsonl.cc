#include "datasets/jsonl.h"

#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/hash.h"
#include "core/dataset_file.h"

namespace micius {
namespace {

class JsonlRows final : public Rows {
 public:
  JsonlRows(std::shared_ptr<const SourceFile> file, const RowFilter& filter) : file_(std::move(file)) {
    const std::string_view text = file_->text();
    for_each_line(text, [&](std::string_view line, std::size_t number) {
      if (line.find_first_not_of(" \t\r") == std::string_view::npos || filter.drops_text(line)) return;
      lines_.push_back({static_cast<std::size_t>(line.data() - text.data()), line.size(), number});
      const std::size_t last = lines_.size() - 1;
      if (!filter.keeps_all() && !filter.keeps(row(last), where(last))) lines_.pop_back();
    });
    if (lines_.empty()) {
      fail(ErrorCode::kInvalidData, "{}: {}; expected one JSON object a line", file_->path().string(),
           filter.nothing());
    }
  }

  std::size_t size() const override { return lines_.size(); }

  Json row(std::size_t index) const override {
    const Line& line = lines_.at(index);
    Json row = parse_json(file_->text().substr(line.offset, line.size), where(index));
    if (!row.is_object()) {
      fail(ErrorCode::kInvalidData, "{}: expected an object, found {}", where(index), row.type_name());
    }
    return row;
  }

  std::string where(std::size_t index) const override {
    return fmt::format("{}:{}", file_->path().string(), lines_.at(index).number);
  }

  std::string content_hash() const override { return file_->sha256(); }

 private:
  struct Line {
    std::size_t offset, size, number;
  };
  std::shared_ptr<const SourceFile> file_;
  std::vector<Line> lines_;
};

// Rows of two files: those of `main`, and before the first that names it the row of `others` that it names.
class RowsBeside final : public Rows {
 public:
  RowsBeside(std::unique_ptr<Rows> main, std::unique_ptr<Rows> others, const std::string& id,
             const std::string& field)
      : main_(std::move(main)), others_(std::move(others)) {
    std::unordered_map<std::string, std::size_t> places;
    for (std::size_t i = 0; i < others_->size(); ++i)
      places.emplace(JsonFields(others_->row(i), others_->where(i)).string(id), i);
    std::unordered_set<std::size_t> there;
    for (std::size_t i = 0; i < main_->size(); ++i) {
      const std::string of = JsonFields(main_->row(i), main_->where(i)).string(field);
      const auto place = places.find(of);
      if (place == places.end()) {
        fail(ErrorCode::kInvalidData, "{}: field '{}': no row '{}' in the file beside it", main_->where(i),
             field, of);
      }
      if (there.insert(place->second).second) places_.push_back({others_.get(), place->second});
      places_.push_back({main_.get(), i});
    }
  }

  std::size_t size() const override { return places_.size(); }
  Json row(std::size_t index) const override { return places_.at(index).rows->row(places_[index].index); }
  std::string where(std::size_t index) const override {
    return places_.at(index).rows->where(places_[index].index);
  }
  std::string content_hash() const override {
    return sha256_hex(main_->content_hash() + others_->content_hash());
  }

 private:
  struct Place {
    const Rows* rows;
    std::size_t index;
  };
  std::unique_ptr<Rows> main_, others_;
  std::vector<Place> places_;
};

}  // namespace

std::unique_ptr<Rows> open_jsonl_rows(const Spec& spec, const DataRoots& roots, SourceFiles& files) {
  return std::make_unique<JsonlRows>(files.open(require_dataset_file(spec, roots)), RowFilter(spec));
}

std::unique_ptr<Dataset> open_jsonl(const Spec& spec, const DataRoots& roots, SourceFiles& files) {
  const JsonFields params(spec.params, "dataset loader 'jsonl'");
  if (!params.has("beside")) return make_dataset(spec, open_jsonl_rows(spec, roots, files));
  const JsonFields beside = params.object("beside");
  beside.only({"path", "field"});
  Spec own = spec, others = spec;
  own.params.erase("beside");
  others.params["path"] = beside.string("path");
  return make_dataset(own, std::make_unique<RowsBeside>(open_jsonl_rows(own, roots, files),
                                                        open_jsonl_rows(others, roots, files),
                                                        params.string("id"), beside.string("field")));
}

}  // namespace micius
