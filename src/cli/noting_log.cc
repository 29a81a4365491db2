#include "cli/noting_log.h"

#include <algorithm>

namespace micius {

void NotingLog::warning(std::string_view message) {
  {
    const std::lock_guard lock(mutex_);
    said_.emplace_back(message);
  }
  log_.warning(message);
}

void NotingLog::note_in(SqlStore& store, RunId run) const {
  std::vector<std::string> notes = store.run(run).spec.notes;
  const std::size_t before = notes.size();
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& message : said_)
      if (std::find(notes.begin(), notes.end(), message) == notes.end()) notes.push_back(message);
  }
  if (notes.size() > before) store.set_notes(run, notes);
}

}  // namespace micius
