#include "datasets/rows.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "core/dataset_file.h"

namespace micius {
namespace {

const Json& field(const Json& row, const std::string& path, const std::string& where) {
  if (const Json* value = find_json(row, path)) return *value;
  std::vector<std::string> keys;
  for (const auto& item : row.items()) keys.push_back(item.key());
  fail(ErrorCode::kInvalidData, "{}: field '{}' is missing{}", where, path,
       did_you_mean(path, keys, "is it '{}'?"));
}

std::string text(const Json& value, const std::string& path, const std::string& where) {
  if (auto scalar = scalar_text(value)) return *std::move(scalar);
  fail(ErrorCode::kInvalidData, "{}: field '{}' must be a string or a number, found {}", where, path,
       value.type_name());
}

std::vector<std::string> texts(const Json& value, const std::string& path, const std::string& where) {
  if (!value.is_array()) return {text(value, path, where)};
  std::vector<std::string> result;
  for (const Json& item : value) result.push_back(text(item, path, where));
  if (result.empty()) fail(ErrorCode::kInvalidData, "{}: field '{}' is an empty list", where, path);
  return result;
}

class RowDataset final : public Dataset {
 public:
  RowDataset(const Spec& spec, std::unique_ptr<Rows> rows)
      : name_(dataset_name(spec)), fields_(spec), rows_(std::move(rows)) {
    std::unordered_map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < rows_->size(); ++i) {
      const Sample sample = at(i);
      if (fields_.unique().empty()) continue;
      const Json& value = field(sample.extra, fields_.unique(), sample.where);
      const auto [it, is_new] = seen.emplace(text(value, fields_.unique(), sample.where), i);
      if (!is_new) {
        fail(ErrorCode::kInvalidData, "{}: {} '{}' is there twice; first at {}", sample.where,
             fields_.unique(), it->first, rows_->where(it->second));
      }
    }
  }

  std::string_view name() const override { return name_; }
  std::string content_hash() const override { return rows_->content_hash(); }
  std::size_t size() const override { return rows_->size(); }
  Sample at(std::size_t index) const override {
    return fields_.sample(rows_->row(index), index, rows_->where(index));
  }

 private:
  std::string name_;
  FieldMap fields_;
  std::unique_ptr<Rows> rows_;
};

}  // namespace

RowFilter::RowFilter(const Spec& spec) {
  const JsonFields params(spec.params, fmt::format("dataset loader '{}'", spec.name));
  if (!params.has("only")) return;
  const JsonFields only = params.object("only");
  only.only({"field", "values"});
  field_ = only.string("field");
  values_ = only.strings_or("values", {});
  if (values_.empty()) fail(ErrorCode::kInvalidData, "{}: field 'values' is empty", only.where());
  for (const std::string& value : values_) {
    const std::string quoted = dump_json(value);
    written_.push_back(quoted.substr(1, quoted.size() - 2));
  }
}

bool RowFilter::keeps(const Json& row, const std::string& where) const {
  const std::string value = text(field(row, field_, where), field_, where);
  return std::find(values_.begin(), values_.end(), value) != values_.end();
}

// A value may be written with escapes, "\u0061" for a; a row whose field is missing or no string is an error
// that must be seen.
bool RowFilter::drops_text(std::string_view row) const {
  const auto has = [&](std::string_view part) { return row.find(part) != std::string_view::npos; };
  const std::string key = "\"" + field_ + "\"";
  const std::size_t at = field_.empty() ? std::string_view::npos : row.find(key);
  if (at == std::string_view::npos) return false;
  std::string_view value = strip_left(row.substr(at + key.size()));
  if (!value.starts_with(':')) return false;
  value = strip_left(value.substr(1));
  if (!value.starts_with('"') || has("\\u") || has("\\/")) return false;
  return std::none_of(written_.begin(), written_.end(), has);
}

std::string RowFilter::nothing() const {
  return field_.empty() ? "no rows" : fmt::format("no rows with {} {}", field_, join(values_, ", "));
}

FieldMap::FieldMap(const Spec& spec) {
  const JsonFields params(spec.params, fmt::format("dataset loader '{}'", spec.name));
  params.only({"path", "root", "id", "input", "choices", "targets", "only", "at", "unique"});
  id_ = params.string_or("id", "");
  unique_ = params.string_or("unique", id_);
  input_ = params.string_or("input", "");
  targets_ = params.string_or("targets", "");
  if (!params.has("choices")) return;
  choices_are_a_list_ = params.at("choices").is_string();
  choices_ = choices_are_a_list_ ? std::vector<std::string>{params.string("choices")}
                                 : params.strings_or("choices", {});
}

Sample FieldMap::sample(Json row, std::size_t index, const std::string& where) const {
  Sample sample;
  sample.id = id_.empty() ? std::to_string(index) : text(field(row, id_, where), id_, where);
  if (sample.id.empty()) fail(ErrorCode::kInvalidData, "{}: field '{}' is empty", where, id_);
  if (!input_.empty()) sample.input = text(field(row, input_, where), input_, where);
  if (!targets_.empty()) sample.targets = texts(field(row, targets_, where), targets_, where);
  for (const std::string& path : choices_) {
    const Json& value = field(row, path, where);
    if (!choices_are_a_list_) {
      sample.choices.push_back(text(value, path, where));
    } else if (value.is_array()) {
      sample.choices = texts(value, path, where);
    } else {
      fail(ErrorCode::kInvalidData, "{}: field '{}' must be a list, found {}", where, path,
           value.type_name());
    }
  }
  sample.extra = std::move(row);
  sample.where = where;
  return sample;
}

std::unique_ptr<Dataset> make_dataset(const Spec& spec, std::unique_ptr<Rows> rows) {
  return std::make_unique<RowDataset>(spec, std::move(rows));
}

}  // namespace micius
