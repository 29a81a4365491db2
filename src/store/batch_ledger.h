// The ledger of a run's batches, beside its records.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "core/batch_ledger.h"
#include "core/run.h"

namespace micius {

// Over a connection of its own, so that its thread need not be the store's. Arguments and errors are
// open_store()'s, for a database that is there.
std::unique_ptr<BatchLedger> open_batch_ledger(const std::string& database, RunId run, const Clock& clock,
                                               Log* log = nullptr);

}  // namespace micius
