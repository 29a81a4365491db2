#include "tasks/template.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/text.h"

namespace micius {

Template::Template(std::string_view text, std::string where) : where_(std::move(where)) {
  while (!text.empty()) {
    const std::size_t open = text.find("{{");
    if (open != 0) parts_.push_back({std::string(text.substr(0, open)), false});
    if (open == std::string_view::npos) return;
    const std::size_t close = text.find("}}", open);
    if (close == std::string_view::npos)
      fail(ErrorCode::kInvalidData, "{}: '{{{{' is not closed by '}}}}'", where_);
    const std::string_view field = strip(text.substr(open + 2, close - open - 2));
    if (field.empty()) fail(ErrorCode::kInvalidData, "{}: '{{{{}}}}' names no field", where_);
    parts_.push_back({std::string(field), true});
    text.remove_prefix(close + 2);
  }
}

bool Template::uses(std::string_view field) const {
  return std::any_of(parts_.begin(), parts_.end(),
                     [&](const Part& part) { return part.is_field && part.text == field; });
}

std::string Template::fill(const Sample& sample, const std::string* choice) const {
  std::string text;
  for (const Part& part : parts_) text += part.is_field ? value(sample, part.text, choice) : part.text;
  return text;
}

std::string Template::value(const Sample& sample, const std::string& field, const std::string* choice) const {
  if (field == "input") return sample.input;
  if (field == "target" && !sample.targets.empty()) return sample.targets.front();
  if (field == "choice" && choice != nullptr) return *choice;
  const Json* found = find_json(sample.extra, field);
  if (found == nullptr) {
    std::vector<std::string> names = {"input", "target"};
    if (choice != nullptr) names.push_back("choice");
    for (const auto& item : sample.extra.items()) names.push_back(item.key());
    if (where_.empty())
      fail(ErrorCode::kInvalidData, "{}: field '{}' is missing{}", sample.where, field,
           did_you_mean(field, names));
    fail(ErrorCode::kInvalidData, "{}: sample '{}' has no field '{}'{}", where_, sample.id, field,
         did_you_mean(field, names));
  }
  if (auto text = scalar_text(*found)) return *std::move(text);
  if (where_.empty())
    fail(ErrorCode::kInvalidData, "{}: field '{}' must be a string or a number, found {}", sample.where,
         field, found->type_name());
  fail(ErrorCode::kInvalidData, "{}: field '{}' of sample '{}' must be a string or a number, found {}",
       where_, field, sample.id, found->type_name());
}

}  // namespace micius
