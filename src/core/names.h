// The words for enumerators in SQL, JSON and reports. One table each; from_* throws Error{kInvalidData} that
// begins with `where`, the place of the word, and names the nearest one.
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
std::string_view name_of(PairSplit value);    // context, common_prefix, trailing
std::string_view name_of(Direction value);    // higher, lower
std::string_view name_of(Reduction value);    // mean, exp_neg_mean, worst, flips

Role role_from(std::string_view name, std::string_view where = {});
StopReason stop_reason_from(std::string_view name, std::string_view where = {});
Verdict verdict_from(std::string_view name, std::string_view where = {});
RunStatus run_status_from(std::string_view name, std::string_view where = {});
PromptStyle prompt_style_from(std::string_view name, std::string_view where = {});
PairSplit pair_split_from(std::string_view name, std::string_view where = {});
Direction direction_from(std::string_view name, std::string_view where = {});
Reduction reduction_from(std::string_view name, std::string_view where = {});

}  // namespace micius
