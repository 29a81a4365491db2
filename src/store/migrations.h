// Brings the schema of a database up to date.
#pragma once

#include <span>

#include "store/sqlite_internal.h"

namespace micius {

// migrations[i] is SQL that takes a database from version i to i + 1; from 0, an empty file. A step that is
// in a release is never changed.
using Migrations = std::span<const char* const>;

Migrations schema_migrations();

// Runs the steps that are missing, in one transaction; several processes may call it at once. A database
// that holds an older version is copied to `<path>.v<version>.bak` before. Throws Error{kUnsupported} for a
// database of a newer program and Error{kInvalidData} for one of another program; neither is touched.
void migrate(SqliteDatabase& database, Migrations migrations);

}  // namespace micius
