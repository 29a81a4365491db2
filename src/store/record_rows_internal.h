// Records as rows and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/price.h"
#include "core/record.h"
#include "store/sql_internal.h"

namespace micius {

struct RecordKey {
  std::int64_t run = 0;
  std::size_t position = 0;         // of the sample in the run's list
  std::optional<Price> price = {};  // of the run
};

// Writes one record; the caller holds the transaction.
class RecordWriter {
 public:
  explicit RecordWriter(Database& database);
  // A failed record of the same key makes room. Throws Error{kIo} where a good one is there.
  void write(const RecordKey& key, const Record& record);

 private:
  static std::optional<std::int64_t> number(Statement& statement);
  std::int64_t sample_ref(const Sample& sample);
  void write_turn(std::int64_t record_id, std::size_t turn, const Turn& value);
  void write_attempts(std::int64_t record_id, std::size_t turn, const std::vector<Attempt>& attempts);

  Database* database_;
  Statement find_sample_, add_sample_, drop_failed_, add_record_, add_turn_, add_attempt_, add_value_;
};

// Reads the records of a run in order.
class RecordReader {
 public:
  enum class Turns { kRead, kLeave };
  explicit RecordReader(Database& database);
  // No statement is open while `fn` runs.
  void for_each(std::int64_t run, Turns turns, const std::function<void(const Record&)>& fn);

 private:
  // The records of one page, by the numbers of their rows.
  struct Page {
    std::vector<Record> records;
    std::unordered_map<std::int64_t, std::size_t> index_of;
    std::int64_t run = 0, position = -1, repeat = 0;       // its last record
    std::int64_t before_position = -1, before_repeat = 0;  // the last record of the page before
  };
  void read_records(Page& page);
  void read_turns(Page& page);
  void read_attempts(Page& page);
  void read_values(Page& page);
  std::string where(const Page& page, std::int64_t record_id) const;

  std::string name_;
  Statement page_, turns_, attempts_, values_;
};

}  // namespace micius
