// Records as rows and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "core/record.h"
#include "store/sqlite_internal.h"

namespace micius {

struct RecordKey {
  std::int64_t run = 0;
  std::size_t position = 0;  // of the sample in the run's list
};

// Writes one record; the caller holds the transaction.
class RecordWriter {
 public:
  explicit RecordWriter(Database& database);
  // A failed record of the same key makes room. Throws Error{kIo} where a good one is there.
  void write(const RecordKey& key, const Record& record);

 private:
  std::int64_t sample_ref(const Sample& sample);
  void write_turn(std::int64_t record_id, std::size_t turn, const Turn& value);

  Database* database_;
  Statement find_sample_, add_sample_, find_old_, drop_old_, add_record_, add_turn_, add_value_;
};

// Reads the records of a run in order.
class RecordReader {
 public:
  enum class Turns { kRead, kLeave };
  explicit RecordReader(Database& database);
  // No statement is open while `fn` runs.
  void for_each(std::int64_t run, Turns turns, const std::function<void(const Record&)>& fn);

 private:
  Record read(const std::string& where, Turns turns);
  void read_turns(std::int64_t record_id, Record& record, const std::string& where);

  std::string path_;
  Statement page_, turns_, values_;
};

}  // namespace micius
