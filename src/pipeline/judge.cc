#include "pipeline/judge.h"

#include <cmath>

#include "base/text.h"

namespace micius {
namespace {

void make_utf8(std::string& text) {
  if (!is_valid_utf8(text)) text = to_valid_utf8(text);
}

}  // namespace

Completion checked(Completion c) {
  make_utf8(c.text);
  make_utf8(c.prompt_text);
  for (const Likelihood& l : c.likelihoods) {
    if (!std::isfinite(l.logprob) && !c.failure)
      c.failure = Failure{"not_finite", "the model gave a log-likelihood that is not a finite number"};
  }
  if (c.failure) {
    make_utf8(c.failure->code);
    make_utf8(c.failure->message);
    c.stop_reason = StopReason::kFailed;
    c.likelihoods.clear();
  }
  return c;
}

std::string observe(const Scorer& scorer, const Sample& sample, std::span<const Turn> turns) {
  std::string observation = scorer.observe(sample, turns);
  make_utf8(observation);
  return observation;
}

Score judge(const Scorer& scorer, const Sample& sample, std::span<const Turn> turns) {
  Score score = scorer.score(sample, turns);
  make_utf8(score.answer);
  make_utf8(score.reason);
  return score;
}

Score unjudged(const std::exception& error) {
  Score score;
  score.reason = std::string("could not be judged: ") + error.what();
  make_utf8(score.reason);
  return score;
}

}  // namespace micius
