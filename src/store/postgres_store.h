// The store in a PostgreSQL database, of version 12 or newer, over libpq.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "store/sql_store.h"

namespace micius {

// What goes on while a server is away.
struct ServerWait {
  Log* log = nullptr;         // hears of it; may be null
  std::stop_token stop = {};  // ends the wait
};

// Several processes on several machines may work on it. A commit survives what the server's
// `synchronous_commit` says. Where a connection is lost or the server is restarted, a call waits up to five
// minutes, connects again and goes on: what it was to write is there once, also where the answer to a commit
// was lost. Only the first connection is not waited for, but for a server that is just starting.
//
// The tables are in the first schema of the search path. An older schema is migrated in one transaction; no
// copy is kept (pg_dump makes one). Texts in the database have U+0000, which PostgreSQL cannot hold, as
// U+0001 and '0', and U+0001 as U+0001 and '1'.
//
// Throws as open_store() says: Error{kNotFound} where the database has no runs of ours and is not to get any,
// Error{kInvalidData} where its tables are another program's, Error{kIo} for a server that cannot be
// reached, for missing rights, and for one that stays away, and Interrupted.
std::unique_ptr<SqlStore> open_postgres(const std::string& url, OpenMode mode, const Clock& clock,
                                        ServerWait wait);
std::unique_ptr<SqlStore> find_postgres(const std::string& url, const Clock& clock);  // null: no runs of ours

}  // namespace micius
