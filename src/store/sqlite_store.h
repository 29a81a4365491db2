// The store in one SQLite file.
#pragma once

#include <filesystem>

#include "store/sql_store.h"

namespace micius {

// WAL mode, so that readers and one writer go on beside each other; a commit survives the death of the
// process at once and a power cut from the next checkpoint on (at the latest 32 MiB later), in order. An
// older schema is migrated with a copy kept beside the file. Throws Error{kUnsupported} for a database of a
// newer program, Error{kInvalidData} for a file that is none or damaged, Error{kIo}.
class SqliteStore final : public SqlStore {
 public:
  // `clock` must outlive the store.
  SqliteStore(const std::filesystem::path& path, OpenMode mode, const Clock& clock);
};

}  // namespace micius
