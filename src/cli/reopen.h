// What a stored run was asked with, made again from its spec: for whoever goes on with it.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "cli/models.h"
#include "cli/places.h"
#include "cli/response_cache.h"
#include "cli/services.h"
#include "cli/task_setup.h"
#include "core/run.h"
#include "core/runner.h"
#include "pipeline/plan.h"
#include "runners/api_endpoint.h"
#include "store/sql_store.h"

namespace micius {

// Who has made the runs: what others' runs say of a model's address counts only where this user's flags or
// environment say it too, since a key is sent there. Imported runs are others', whoever goes on with them.
enum class RunsOf { kUser, kOthers };

// What is the same for all runs that are gone on with. All of it must outlive what is made.
struct ReopenContext {
  SqlStore& store;
  const Clock& clock;
  Log& log;
  const PlaceFlags& places;
  EngineFlags& engine;  // what of it is part of a spec is set for each run
  ApiSettings& remote;  // so too
  const CacheFlags& caching;
  ResponseCache& cache;
  LazyServices& services;
  RunsOf runs_of;
};

struct ReopenedTask {
  TaskSetup setup;
  Plan plan;
};

// The runner of its model; of the context's settings it borrows those that are set for this run, so make no
// other one while it is in use. For a run that was handed over as batches, the runner that tells what the
// model is. Throws Error for a model that is not there and for an address that another user chose.
std::unique_ptr<Runner> reopen_model(const ReopenContext& context, const Run& run);

// Its task, data and samples. Throws Error where they are not what they were.
ReopenedTask reopen_task(const ReopenContext& context, const Run& run, const RunnerInfo& model);

// Runs with equal texts are asked with the same runner.
std::string model_key(const RunSpec& spec);

bool is_imported(const Run& run);

}  // namespace micius
