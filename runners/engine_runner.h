// The built-in engine as a runner: requests become jobs of one engine, which batches whatever is there.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/clock.h"
#include "core/runner.h"
#include "engine/engine.h"

namespace micius {

// Loads the model and hashes its file. `name` is what RunnerInfo::name will say; `clock` must outlive the
// runner. Throws Error{kNotFound | kInvalidData | kUnsupported} for a model that cannot be run.
//
// Messages go through the model's chat template, with the answer's header behind them or, where the last one
// is the assistant's, open for the model to go on; without a template their contents are joined by blank
// lines. A text is cut on the left where the model's context is too short for it: Completion::cut_tokens.
// Requests end with a Failure of code "empty_continuation", "empty_context", "empty_prompt",
// "context_too_long", "kv_memory", "not_finite", "no_chat_template", "chat_template", "cancelled" or "engine"
// (the engine broke down: none will succeed).
std::unique_ptr<Runner> make_engine_runner(const std::filesystem::path& model, const std::string& name,
                                           const EngineOptions& options, const Clock& clock);

}  // namespace micius
