// Search among the benchmark records of the Infrawise pool.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/bm25.h"
#include "base/json.h"

namespace micius {

// What a model sees of a pool record, without its index: the published values, at most six results.
Json shown_record(const Json& record);

// BM25 over the words of hardware, sku and workload. Safe to call from several threads.
class RecordSearch {
 public:
  // Reads pool.jsonl; throws Error naming file, line and field.
  explicit RecordSearch(const std::filesystem::path& pool);

  // The k best records, best first; equal scores in file order. Fewer only where the pool has fewer.
  std::vector<std::size_t> best(std::string_view query, std::size_t k) const { return index_.best(query, k); }
  const Json& record(std::size_t i) const { return records_[i]; }

 private:
  std::vector<Json> records_;
  Bm25 index_;
};

}  // namespace micius
