#include "scorers/record_search.h"

#include <string>

#include <fmt/format.h>

#include "base/files.h"

namespace micius {
namespace {

constexpr std::size_t kMostResults = 6;

std::vector<Json> read_records(const std::filesystem::path& pool) {
  std::vector<Json> records;
  for_each_line(read_file(pool), [&](std::string_view line, std::size_t number) {
    records.push_back(parse_json(line, fmt::format("{}:{}", pool.string(), number)));
  });
  return records;
}

std::vector<std::string> searched_texts(const std::vector<Json>& records, const std::filesystem::path& pool) {
  std::vector<std::string> texts;
  for (const Json& record : records) {
    const JsonFields fields(record, fmt::format("{}:{}", pool.string(), texts.size() + 1));
    texts.push_back(fields.string("hardware") + " " + fields.string_or("sku", "") + " " +
                    fields.string("workload"));
  }
  return texts;
}

}  // namespace

Json shown_record(const Json& record) {
  Json shown = Json::object();
  for (const char* key : {"hardware", "sku", "workload"}) shown[key] = record.at(key);
  for (const char* key : {"precision", "count", "nodes", "scenario"}) {
    const auto it = record.find(key);
    if (it != record.end() && !it->is_null()) shown[key] = *it;
  }
  Json results = Json::object();
  for (const auto& [metric, value] : record.at("results").items()) {
    if (results.size() == kMostResults) break;
    results[metric] = value;
  }
  shown["results"] = std::move(results);
  return shown;
}

RecordSearch::RecordSearch(const std::filesystem::path& pool)
    : records_(read_records(pool)), index_(searched_texts(records_, pool)) {}

}  // namespace micius
