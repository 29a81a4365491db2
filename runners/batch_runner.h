// Models asked through their provider's batch API: half the price, an answer within a day.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "core/batch_ledger.h"
#include "core/runner.h"
#include "runners/api_runner.h"

namespace micius {

// One for each run, whose ledger it has. What is submitted together is one batch, or several where the
// provider's limits ask for it; what comes later (a conversation's next turns, questions that expired or
// failed for a passing reason) makes further ones. A question that a batch of the ledger has is not sent: its
// answer is fetched, whichever process sent it. cancel() leaves batches with the provider, and their answers
// to a later process. Info, settings, completions and failures as make_api_runner()'s, with
// ApiSettings::batching, and two codes that stop the run: "batch", for one that the provider refused or
// somebody cancelled, or where it cannot be told whether one was made; "store", for a ledger that fails.
// Throws as check_batches() does.
std::unique_ptr<Runner> make_batch_runner(ApiKind kind, const std::string& argument,
                                          const ApiSettings& settings, const Clock& clock, Log* log,
                                          BatchLedger& ledger);

// Throws Error{kUsage} for what make_api_runner() refuses, Azure with an api_version, and truncation.
void check_batches(ApiKind kind, const std::string& argument, const ApiSettings& settings);

}  // namespace micius
