// Completions and scores as everything behind them relies on: valid UTF-8 and finite numbers.
#pragma once

#include <cstddef>
#include <exception>
#include <span>
#include <string>

#include "core/completion.h"
#include "core/scorer.h"

namespace micius {

// Ill-formed parts of the texts become U+FFFD; a log-likelihood that is not finite makes a failure with code
// "not_finite"; with a failure, the stop reason is kFailed and there are no likelihoods.
Completion checked(Completion completion);

std::string observe(const Scorer& scorer, const Sample& sample, std::span<const Turn> turns);
Score judge(const Scorer& scorer, const Sample& sample, std::span<const Turn> turns);

// So many answers in a row that could not be judged, and the next ones could not be either.
inline constexpr std::size_t kMostUnjudged = 16;
// The score of one that was not: kUnscored, and what was thrown as its reason.
Score unjudged(const std::exception& error);

}  // namespace micius
