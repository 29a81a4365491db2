// Cases with their right answers as conversations to train on, asked as a test asks them.
#pragma once

#include <vector>

#include "base/json.h"
#include "core/scorer.h"
#include "core/task.h"

namespace micius {

// What a line has beside "id", "combo" (where the case has one) and "turn", the number of its last turn.
enum class TuningFormat {
  kChat,    // "messages": [{"role", "content"}, ..]
  kAlpaca,  // "instruction", "input" (empty), "output"; "system" and "history" ([[said, answered], ..])
  kText,    // "text": what a model without a chat template reads, then the answer
};

enum class TuningTurns { kAll, kFirst };

// The lines of one prepared sample. A turn that goes on with the conversation of the turn before it is in the
// same line; one that is asked anew has its own. Observes a turn (runs what the right answer says) only where
// another may follow. Throws Error{kUsage} for a task that weighs answers, and Error{kUnsupported} with the
// scorer's reason where a turn is not asked because the one before could not be judged.
std::vector<Json> tuning_lines(const Task& task, const Scorer& scorer, const Sample& sample,
                               TuningTurns turns, TuningFormat format);

}  // namespace micius
