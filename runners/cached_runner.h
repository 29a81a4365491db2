// A runner that does not ask again what it was answered before.
#pragma once

#include <memory>

#include "base/clock.h"
#include "core/answer_cache.h"
#include "core/runner.h"

namespace micius {

enum class CacheUse {
  kGreedy,  // greedy answers and log-likelihoods of servers on other machines: on this one asking costs
            // nothing, and the same address may be another model tomorrow
  kAll,     // those of all servers, and sampled answers, each repeat by itself
};

// Answers are kept by all that may change them: kind, name, address and options of the model, the prompt, how
// text is generated, and which repeat it is; a sampled one by its sample and turn too. Kept are answers that
// are whole or at their limit of tokens, no refusals and no failures. One that was asked for the same turn of
// the same record (Request::asked_for) comes back as it was, with its times and attempts: a process was
// killed before it kept the record, or a later turn failed, and the money is that record's. Any other is
// Completion::from_cache. `cache` and `clock` must outlive the runner.
std::unique_ptr<Runner> with_cache(std::unique_ptr<Runner> runner, AnswerCache& cache, CacheUse use,
                                   const Clock& clock);

}  // namespace micius
