// What the queue is like, for people who watch it.
#pragma once

#include "base/json.h"
#include "store/sql_store.h"

namespace micius {

// "runs": those in the queue and others of the same commands, with `leases` that are left, samples a second
// of the workers that are at it, and seconds to go (null where nobody is). "workers": those alive.
// "stuck": leases whose time is up and that nobody has taken again, and those that were taken three times.
// "samples_per_s" and "eta_s" of all together.
Json queue_status(const SqlStore& store);

}  // namespace micius
