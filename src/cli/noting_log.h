// What a runner warns of belongs to its runs: a server that was not as expected explains their scores.
#pragma once

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/log.h"
#include "core/run.h"
#include "store/sql_store.h"

namespace micius {

// Passes warnings on, from any thread, and keeps them.
class NotingLog final : public Log {
 public:
  explicit NotingLog(Log& log) : log_(log) {}  // must outlive this

  void warning(std::string_view message) override;

  // Adds what was said so far to the notes of a run that has ended, each sentence once: also what was said
  // during an earlier run of the same runner, which goes on as it has learned.
  void note_in(SqlStore& store, RunId run) const;

 private:
  Log& log_;
  mutable std::mutex mutex_;  // of said_
  std::vector<std::string> said_;
};

}  // namespace micius
