#include "core/names.h"

#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/text.h"

namespace micius {
namespace {

template <typename Enum, std::size_t n>
using Table = std::array<std::pair<Enum, std::string_view>, n>;

constexpr Table<Role, 3> kRoles{
    {{Role::kSystem, "system"}, {Role::kUser, "user"}, {Role::kAssistant, "assistant"}}};
constexpr Table<StopReason, 6> kStopReasons{{{StopReason::kStop, "stop"},
                                             {StopReason::kLength, "length"},
                                             {StopReason::kContentFilter, "content_filter"},
                                             {StopReason::kToolCalls, "tool_calls"},
                                             {StopReason::kUnfinished, "unfinished"},
                                             {StopReason::kFailed, "failed"}}};
constexpr Table<Verdict, 5> kVerdicts{{{Verdict::kCorrect, "correct"},
                                       {Verdict::kPartial, "partial"},
                                       {Verdict::kIncorrect, "incorrect"},
                                       {Verdict::kNoAnswer, "no_answer"},
                                       {Verdict::kUnscored, "unscored"}}};
constexpr Table<RunStatus, 3> kRunStatuses{{{RunStatus::kUnfinished, "unfinished"},
                                            {RunStatus::kComplete, "complete"},
                                            {RunStatus::kStopped, "stopped"}}};
constexpr Table<PromptStyle, 3> kPromptStyles{
    {{PromptStyle::kText, "text"}, {PromptStyle::kTurns, "turns"}, {PromptStyle::kOneTurn, "one_turn"}}};
constexpr Table<PairSplit, 3> kPairSplits{{{PairSplit::kContext, "context"},
                                           {PairSplit::kCommonPrefix, "common_prefix"},
                                           {PairSplit::kTrailing, "trailing"}}};
constexpr Table<Direction, 2> kDirections{
    {{Direction::kHigherIsBetter, "higher"}, {Direction::kLowerIsBetter, "lower"}}};
constexpr Table<Reduction, 5> kReductions{{{Reduction::kMean, "mean"},
                                           {Reduction::kExpNegMean, "exp_neg_mean"},
                                           {Reduction::kWorst, "worst"},
                                           {Reduction::kFlips, "flips"},
                                           {Reduction::kPassAtK, "pass_at_k"}}};

template <typename Enum, std::size_t n>
std::string_view name_in(const Table<Enum, n>& table, Enum value) {
  return table[static_cast<std::size_t>(value)].second;
}

template <typename Enum, std::size_t n>
Enum value_in(const Table<Enum, n>& table, std::string_view name, std::string_view noun,
              std::string_view where) {
  std::vector<std::string> words;
  for (const auto& [value, word] : table) {
    if (word == name) return value;
    words.emplace_back(word);
  }
  fail(ErrorCode::kInvalidData, "{}{}unknown {} '{}'{}", where, where.empty() ? "" : ": ", noun,
       visible_line(shorten(name, 64)), did_you_mean(name, words));
}

}  // namespace

std::string_view name_of(Role value) { return name_in(kRoles, value); }
std::string_view name_of(StopReason value) { return name_in(kStopReasons, value); }
std::string_view name_of(Verdict value) { return name_in(kVerdicts, value); }
std::string_view name_of(RunStatus value) { return name_in(kRunStatuses, value); }
std::string_view name_of(PromptStyle value) { return name_in(kPromptStyles, value); }
std::string_view name_of(PairSplit value) { return name_in(kPairSplits, value); }
std::string_view name_of(Direction value) { return name_in(kDirections, value); }
std::string_view name_of(Reduction value) { return name_in(kReductions, value); }

Role role_from(std::string_view name, std::string_view where) {
  return value_in(kRoles, name, "role", where);
}
StopReason stop_reason_from(std::string_view name, std::string_view where) {
  return value_in(kStopReasons, name, "stop reason", where);
}
Verdict verdict_from(std::string_view name, std::string_view where) {
  return value_in(kVerdicts, name, "verdict", where);
}
RunStatus run_status_from(std::string_view name, std::string_view where) {
  return value_in(kRunStatuses, name, "run status", where);
}
PromptStyle prompt_style_from(std::string_view name, std::string_view where) {
  return value_in(kPromptStyles, name, "prompt style", where);
}
PairSplit pair_split_from(std::string_view name, std::string_view where) {
  return value_in(kPairSplits, name, "split of pairs", where);
}
Direction direction_from(std::string_view name, std::string_view where) {
  return value_in(kDirections, name, "direction", where);
}
Reduction reduction_from(std::string_view name, std::string_view where) {
  return value_in(kReductions, name, "reduction", where);
}

}  // namespace micius
