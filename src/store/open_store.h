// A store by what the user calls it.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "store/sql_store.h"

namespace micius {

// `database` is the path of an SQLite file or the URL of a PostgreSQL database,
// postgresql://USER@HOST:PORT/DATABASE, with libpq's parameters after a `?`. `clock` and `log`, which hears
// of a server that is away, must outlive the store; `log` may be null. Throws Error{kUsage} for a URL that
// is none, Error{kUnsupported} for PostgreSQL where this build has no libpq and for a database of a newer
// program, Error{kNotFound, kInvalidData, kIo} as the kinds of store do, and Interrupted where `stop` ends
// the wait for a server that is away. No message holds a password.
std::unique_ptr<SqlStore> open_store(const std::string& database, OpenMode mode, const Clock& clock,
                                     Log* log = nullptr, std::stop_token stop = {});

// Null where there is no database yet; it is not made.
std::unique_ptr<SqlStore> find_store(const std::string& database, const Clock& clock);

// What to show of it: the path, or the URL without passwords. Throws Error{kUsage} for a URL that is none.
std::string database_label(const std::string& database);

// Is it a file that has this path?
bool is_database_file(const std::string& database, const std::string& path);

}  // namespace micius
