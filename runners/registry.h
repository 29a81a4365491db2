// Every runner, by the kind that a model's name begins with: "reference", "replay:12".
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/log.h"
#include "core/answer_cache.h"
#include "core/registry.h"
#include "core/runner.h"
#include "core/store.h"
#include "runners/api_runner.h"
#include "runners/cached_runner.h"

namespace micius {

// What a runner may be given besides its name. All of it must outlive the runner.
struct RunnerContext {
  const Clock& clock;
  const Store* store = nullptr;      // for `replay`
  const ApiSettings* api = nullptr;  // for `openai`, `azure` and `anthropic`
  Log* log = nullptr;                // for what a user should know; null: nobody hears it
  AnswerCache* cache = nullptr;      // of the answers of `openai`, `azure` and `anthropic`; null: none
  CacheUse cache_use = CacheUse::kGreedy;
};

// Gets what follows the kind's colon ("12"), or "". Throws Error{kUsage} for an argument it cannot use.
using RunnerFactory =
    std::function<std::unique_ptr<Runner>(const std::string& argument, const RunnerContext& context)>;

Registry<RunnerFactory> runner_registry();

// Makes the runner that `model` names by its kind. Throws Error{kUsage} for a kind that is not there.
std::unique_ptr<Runner> make_runner(const std::string& model, const RunnerContext& context);

}  // namespace micius
