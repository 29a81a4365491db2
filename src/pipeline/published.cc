#include "pipeline/published.h"

#include <fmt/format.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace micius {

std::vector<PublishedRow> read_published(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json file = parse_json(read_file(path), where);
  const JsonFields fields(file, where);
  const Json& rows = fields.at("rows");
  if (!rows.is_array()) fail(ErrorCode::kInvalidData, "{}: field 'rows' must be a list", where);
  std::vector<PublishedRow> result;
  for (const Json& item : rows) {
    const std::string place = fmt::format("{}: rows[{}]", where, result.size());
    const JsonFields row(item, place);
    row.only({"task", "group", "metric", "values"});
    PublishedRow published{fields.string("source"),    fields.string("note"), row.string("task"),
                           row.string_or("group", ""), row.string("metric"),  {}};
    const JsonFields values = row.object("values");
    for (const auto& [model, value] : row.at("values").items())
      published.values.emplace_back(model, values.number(model));
    result.push_back(std::move(published));
  }
  return result;
}

std::vector<Published> published_for(const std::vector<PublishedRow>& rows, const std::string& task) {
  std::vector<Published> result;
  for (const PublishedRow& row : rows) {
    if (row.task != task && !task.starts_with(row.task + ":")) continue;
    for (const auto& [model, value] : row.values)
      result.push_back({row.source, model, row.metric, row.group, value, row.note});
  }
  return result;
}

}  // namespace micius
