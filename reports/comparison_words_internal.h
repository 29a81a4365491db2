// What the formats of a comparison say in the same words.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/comparison.h"

namespace micius {

inline std::int64_t run_number(RunId run) { return static_cast<std::int64_t>(run); }

// "gpt-4o is better than small on cmdgen: +21.5 points (95 % interval 17.6 to 25.4, p < 0.0001 after Holm
// over 4 tasks).", or that no difference was shown and which one would often go unseen.
std::string verdict_sentence(const Comparison& c, const ComparisonSet& set);

// "gpt-4o is better than small on cmdgen, platform amd: +18.0 points (95 % interval 13.0 to 23.0, p < 0.0001
// after Holm over 6 groups)." Only for a group that has a finding.
std::string group_sentence(const Comparison& c, const ComparedGroup& group);

// "cmdgen, runs 1 and 2".
std::string who(const Comparison& c);
// "cmdgen, gpt-4o and small": where a report must not hold the number of a run.
std::string who_by_model(const Comparison& c);

std::string value_cell(const std::optional<Estimate>& e, const std::string& unit);
// Of a difference: the number alone, with its sign.
std::string gap_cell(double value, const std::string& unit);
std::string interval_cell(const std::optional<Estimate>& e, const std::string& unit,
                          const std::string& between = " .. ");
std::string p_text(double p);             // "0.031", "< 0.0001"
std::string p_cell(const Comparison& c);  // of the test that decides, corrected
// The difference that would often go unseen, without a sign: "2.4 points", or "".
std::string detectable_text(const Comparison& c);

// The samples on which the two differ most first.
std::vector<const Flip*> worst_flips(const Comparison& c);

// The sides, strongest first; in their own order where there is no ranking.
std::vector<std::size_t> order_of(const League& league);

inline constexpr std::string_view kNoRanking =
    "no ranking: a model that never loses, or never wins, has no finite strength";

inline constexpr std::string_view kForced = " (compared because of --force)";

// Why two are not comparable, where they were compared all the same; about `subject`.
std::vector<std::string> forced_notes(const Comparison& c, const std::string& subject);
// Where most of what one side wins are samples to which the other gave no answer.
std::optional<std::string> unanswered_note(const Comparison& c);
// What else a reader must know; about `subject`.
std::vector<std::string> notes_of(const Comparison& c, const std::string& subject);
// What a reader must know of the whole set, behind its tables: every comparison's, about what `subject` calls
// it, then the set's own.
std::vector<std::string> notes_of(const ComparisonSet& set, std::string (*subject)(const Comparison&));

}  // namespace micius
