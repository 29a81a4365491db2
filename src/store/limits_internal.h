// Limits that workers keep to together, as rows.
#pragma once

#include "store/sql_internal.h"
#include "store/work_queue.h"

namespace micius {

// Both in the caller's transaction, which is serialized. The run is in the queue.
void set_limits(Database& database, RunId run, const ModelLimits& limits);
void drop_unused_limits(Database& database);

}  // namespace micius
