// The schema of a PostgreSQL database.
#pragma once

#include <string>

#include "store/migrations.h"
#include "store/postgres/database_internal.h"
#include "store/sql_store.h"

namespace micius {

// A step of the schema, which is in SQLite's words, in PostgreSQL's.
std::string translated_step(const std::string& step);

// Brings the schema up to date; several processes may call it at once. false, and nothing is done, where the
// database has no runs of ours and `mode` is kExisting. Throws Error{kUnsupported} for a newer schema and for
// an older one that this user may not change, Error{kInvalidData} for another program's tables.
bool migrate(PostgresDatabase& database, Migrations migrations, OpenMode mode);

}  // namespace micius
