// Search among the benchmark records of the Infrawise pool.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace micius {

// What a model sees of a pool record, without its index: the published values, at most six results.
Json shown_record(const Json& record);

// BM25 (Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; k1 1.2, b 0.75, the idf that is
// never negative: ln(1 + (N - n + 0.5) / (n + 0.5))) over the words of hardware, sku and workload. A word is
// a run of ASCII letters and digits, in lower case. Safe to call from several threads.
class RecordSearch {
 public:
  // Reads pool.jsonl; throws Error naming file, line and field.
  explicit RecordSearch(const std::filesystem::path& pool);

  // The k best records, best first; equal scores in file order. Fewer only where the pool has fewer.
  std::vector<std::size_t> best(std::string_view query, std::size_t k) const;
  const Json& record(std::size_t i) const { return records_[i]; }

 private:
  struct Posting {
    std::size_t record;
    double weight;  // the word's part of the record's score
  };

  std::vector<Json> records_;
  std::map<std::string, std::vector<Posting>, std::less<>> postings_;
};

}  // namespace micius
