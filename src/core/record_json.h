// Prompts, likelihoods and whole records as JSON: for the store, run files, `show --format jsonl`, exports
// and reports.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "core/record.h"
#include "core/run.h"

namespace micius {

// {"messages": [{"role", "content"}]}, {"pairs": [{"context", "continuation"}]} or both.
Json to_json(const Prompt& prompt);
// Throws Error{kInvalidData} naming `where`.
Prompt prompt_from_json(const Json& json, const std::string& where, const std::string& sample_id);

// [{"logprob", "tokens", "greedy"}]
Json to_json(const std::vector<Likelihood>& likelihoods);
std::vector<Likelihood> likelihoods_from_json(const Json& json, const std::string& where);

// One line of `show RUN --samples --format jsonl`. Same record, same bytes: no times in it. A pair's context
// is all that the model read before the continuation, so it begins with Completion::prompt_text. `cut_tokens`
// is there where it is not 0, `from_cache` where it is true. A turn that failed has neither answer nor stop
// reason; a record that failed has `failure` in place of its score.
Json record_json(RunId run, const Record& record);

// All of a record, with its sample, its times and its prompts as the task made them: what a run file holds.
Json whole_record_json(const Record& record);

}  // namespace micius
