// The words for enumerators in SQL, JSON and reports. One table each; from_* throws Error{kInvalidData}.
#pragma once

#include <string_view>

#include "core/completion.h"
#include "core/prompt.h"
#include "core/run.h"
#include "core/score.h"

namespace micius {

std::string_view name_of(Role value);         // system, user, assistant
std::string_view name_of(StopReason value);   // stop, length, content_filter, tool_calls, unfinished, failed
std::string_view name_of(Verdict value);      // correct, partial, incorrect, no_answer, unscored
std::string_view name_of(RunStatus value);    // unfinished, complete, stopped
std::string_view name_of(PromptStyle value);  // text, turns, one_turn
std::string_view name_of(Direction value);    // higher, lower
std::string_view name_of(Reduction value);    // mean, exp_neg_mean

Role role_from(std::string_view name);
StopReason stop_reason_from(std::string_view name);
Verdict verdict_from(std::string_view name);
RunStatus run_status_from(std::string_view name);
PromptStyle prompt_style_from(std::string_view name);
Direction direction_from(std::string_view name);
Reduction reduction_from(std::string_view name);

}  // namespace micius
