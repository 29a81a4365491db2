// Records as rows and back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/price.h"
#include "core/record.h"
#include "store/bulk_insert_internal.h"
#include "store/sql_internal.h"

namespace micius {

// A record and the place of its sample in the run's list.
struct RecordRow {
  std::size_t position = 0;
  const Record* record = nullptr;
};

// Writes records; the caller holds the transaction. How often a server is asked does not depend on how many
// records there are, up to BulkInsert::kMostRows.
class RecordWriter {
 public:
  explicit RecordWriter(Database& database);
  // Of one run, at its price, each of another key. A failed record of the same key makes room; the indices of
  // those for which a good one is there already are given back, and they are not written.
  std::vector<std::size_t> write(std::int64_t run, const std::optional<Price>& price,
                                 std::span<const RecordRow> rows);
  void add_samples(std::span<const Sample* const> samples);

 private:
  using Refs = std::unordered_map<std::string, std::int64_t>;  // by the hashes of samples
  void find_samples(std::span<const std::string> hashes, Refs& refs);
  std::vector<std::int64_t> sample_refs(std::span<const Sample* const> samples);
  void drop_failed(std::int64_t run, std::span<const RecordRow> rows);
  void add_record(std::int64_t run, const std::optional<Price>& price, const RecordRow& row,
                  std::int64_t sample_ref);
  void add_turn(std::int64_t record_id, std::size_t turn, const Turn& value);
  void add_attempts(std::int64_t record_id, std::size_t turn, const std::vector<Attempt>& attempts);

  Database* database_;
  std::map<std::size_t, Statement> find_samples_;  // by how many they look for
  Statement find_failed_, drop_failed_;
  BulkInsert samples_, records_, turns_, attempts_, values_;
};

// Samples of a run's list, from `first` until before `end`.
struct Positions {
  std::int64_t first = 0, end = std::numeric_limits<std::int64_t>::max();
};

// Reads the records of a run in order.
class RecordReader {
 public:
  enum class Turns { kRead, kLeave };
  explicit RecordReader(Database& database);
  // No statement is open while `fn` runs.
  void for_each(std::int64_t run, Turns turns, const std::function<void(const Record&)>& fn,
                const Positions& positions = {});

 private:
  // The records of one page, by the numbers of their rows.
  struct Page {
    std::vector<Record> records;
    std::unordered_map<std::int64_t, std::size_t> index_of;
    std::int64_t run = 0, end = 0;                         // no position from `end` on
    std::int64_t position = -1, repeat = 0;                // its last record
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
