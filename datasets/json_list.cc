#include "datasets/json_list.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "core/dataset_file.h"
#include "datasets/rows.h"

namespace micius {
namespace {

class ListRows final : public Rows {
 public:
  ListRows(const SourceFile& file, const std::string& at, const RowFilter& filter)
      : place_(file.path().string() + ": " + (at.empty() ? "item " : "'" + at + "' item ")) {
    const std::string path = file.path().string();
    hash_ = file.sha256();
    const Json document = parse_json(file.text(), path);
    const Json* list = at.empty() ? &document : find_json(document, at);
    if (list == nullptr) fail(ErrorCode::kInvalidData, "{}: field '{}' is missing", path, at);
    if (!list->is_array()) {
      fail(ErrorCode::kInvalidData, "{}: expected a list of objects{}, found {}", path,
           at.empty() ? "" : " at '" + at + "'", list->type_name());
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      const Json& item = (*list)[i];
      if (!item.is_object())
        fail(ErrorCode::kInvalidData, "{}{}: expected an object, found {}", place_, i, item.type_name());
      if (filter.keeps_all() || filter.keeps(item, place_ + std::to_string(i))) items_.push_back({item, i});
    }
    if (items_.empty()) fail(ErrorCode::kInvalidData, "{}: {}", path, filter.nothing());
  }

  std::size_t size() const override { return items_.size(); }
  Json row(std::size_t index) const override { return items_.at(index).row; }
  std::string where(std::size_t index) const override {
    return place_ + std::to_string(items_.at(index).number);
  }
  std::string content_hash() const override { return hash_; }

 private:
  struct Item {
    Json row;
    std::size_t number;  // in the list, from 0
  };
  std::string place_, hash_;
  std::vector<Item> items_;
};

}  // namespace

std::unique_ptr<Dataset> open_json_list(const Spec& spec, const DataRoots& roots, SourceFiles& files) {
  const JsonFields params(spec.params, fmt::format("dataset loader '{}'", spec.name));
  return make_dataset(spec, std::make_unique<ListRows>(*files.open(require_dataset_file(spec, roots)),
                                                       params.string_or("at", ""), RowFilter(spec)));
}

}  // namespace micius
