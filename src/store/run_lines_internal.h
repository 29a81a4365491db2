// Runs and records as the lines of a run file, and back.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "base/hash.h"
#include "base/json.h"
#include "core/record.h"
#include "core/run.h"

namespace micius {

std::string run_line(const Run& run);  // with its LF, as the next
std::string record_line(const Record& record);

// Throw Error{kInvalidData} naming `where` and the field for what is missing, of another type, unknown, or
// would not come back as it is.
Run run_from_line(const Json& json, const std::string& where);
Record record_from_line(const Json& json, const std::string& where);

// Counts and hashes the lines of a run.
class RunHash {
 public:
  void add(std::string_view line);
  std::size_t records() const { return lines_ - 1; }
  std::string hex() { return hash_.hex(); }  // once

 private:
  Sha256 hash_;
  std::size_t lines_ = 0;
};

// Are these the records that the run may have, in dataset order, then by repeat? Throws as the above.
class RecordOrder {
 public:
  explicit RecordOrder(const Run& run, const std::string& where);
  void check(const Record& record, const std::string& where);
  void check_end(const std::string& where) const;

 private:
  RunStatus status_;
  std::size_t repeats_, total_, records_ = 0;
  std::unordered_map<std::string, std::size_t> positions_;
  std::size_t next_ = 0;  // the least place that the next record may have
};

}  // namespace micius
