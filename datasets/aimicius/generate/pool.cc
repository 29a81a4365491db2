#include "pool.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"

namespace micius::aimicius {
namespace {

// What is published without a licence, under share-alike or GPL terms, or in a loose file stays out.
bool has_clear_licence(const Json& record, const std::string& where) {
  const std::string licence = JsonFields(record, where).string("licence");
  for (const char* unclear : {"no licence", "CC-BY-SA", "GPL", "public GitHub"}) {
    if (licence.rfind(unclear, 0) == 0) return false;
  }
  return true;
}

std::string line_of(const PoolRecord& record) {
  Json line = record.source;
  line["designs"] = record.designs;
  line["workload_key"] = record.workload;
  return dump_json(line) + "\n";
}

template <typename Fn>
void for_each_record(const std::filesystem::path& path, Fn&& fn) {
  for_each_line(read_file(path), [&](std::string_view line, std::size_t number) {
    const std::string where = path.string() + ":" + std::to_string(number);
    fn(parse_json(line, where), where);
  });
}

}  // namespace

std::string pool_lines(const std::filesystem::path& raw, const Vocabulary& vocabulary) {
  std::string lines;
  for_each_record(raw, [&](Json json, const std::string& where) {
    if (has_clear_licence(json, where)) lines += line_of(vocabulary.classify(std::move(json)));
  });
  return lines;
}

Pool::Pool(const std::filesystem::path& path, const Vocabulary& vocabulary) {
  for_each_record(path, [&](Json json, const std::string& where) {
    if (!has_clear_licence(json, where))
      fail(ErrorCode::kInvalidData, "{}: this licence may not be in the pool", where);
    json.erase("designs");
    json.erase("workload_key");
    records_.push_back(vocabulary.classify(std::move(json)));
    PoolRecord& record = records_.back();
    record.workload_id = ids_.try_emplace(record.workload, ids_.size()).first->second;
  });
  for (const PoolRecord& record : records_) {
    if (!record.usable) continue;
    for (const std::string& workload : {record.workload, std::string("default")}) {
      for (const std::string& design : record.designs) ++counts_[{design, workload}];
      ++counts_[{"", workload}];
    }
  }
}

std::string Pool::lines() const {
  std::string lines;
  for (const PoolRecord& record : records_) lines += line_of(record);
  return lines;
}

std::size_t Pool::count(const std::string& design, const std::string& workload) const {
  const auto it = counts_.find({design, workload});
  return it == counts_.end() ? 0 : it->second;
}

}  // namespace micius::aimicius
