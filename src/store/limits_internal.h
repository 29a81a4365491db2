// Limits that workers keep to together, as rows.
#pragma once

#include <string>

#include "store/sql_internal.h"
#include "store/work_queue.h"

namespace micius {

// `sql` with the database's clock for each `NOW`.
std::string with_clock(const Database& database, const std::string& sql);

// Both in the caller's transaction, which is serialized. The run is in the queue.
void set_limits(Database& database, RunId run, const ModelLimits& limits);
void drop_unused_limits(Database& database);

}  // namespace micius
