// The published records that cases draw from.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "phrasings.h"
#include "vocabulary.h"

namespace micius::aimicius {

// The lines of a pool file from the raw records: those whose licence is clear and not share-alike, as they
// are, with their hidden keys "designs" and "workload_key" behind them.
std::string pool_lines(const std::filesystem::path& raw, const Vocabulary& vocabulary);

class Pool {
 public:
  // Reads pool.jsonl and computes the hidden keys again.
  Pool(const std::filesystem::path& path, const Vocabulary& vocabulary);

  const std::vector<PoolRecord>& records() const { return records_; }
  std::size_t workload_ids() const { return ids_.size(); }
  // The file's bytes with the hidden keys as the vocabulary has them now.
  std::string lines() const;
  // How many usable records have the design ("": any) and the workload ("default": any).
  std::size_t count(const std::string& design, const std::string& workload) const;

 private:
  std::vector<PoolRecord> records_;
  std::map<std::string, std::size_t> ids_;  // workload key -> its number
  std::map<std::pair<std::string, std::string>, std::size_t> counts_;
};

}  // namespace micius::aimicius
