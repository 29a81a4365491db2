#include "scorers/continuation.h"

#include <cmath>

#include "base/text.h"
#include "scorers/params.h"

namespace micius {
namespace {

class Continuation final : public Scorer {
 public:
  std::string_view name() const override { return "continuation"; }
  std::vector<std::string> metrics() const override { return {"acc", "logprob"}; }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const std::vector<Likelihood>& likelihoods = turns.front().completion.likelihoods;
    if (likelihoods.empty()) return {Verdict::kNoAnswer, {{"acc", 0}}, "", "no log-likelihood"};
    if (likelihoods.size() > 1 || std::isnan(likelihoods.front().logprob))
      return {Verdict::kUnscored, {}, "", "not one log-likelihood that is a number"};
    const Likelihood& right = likelihoods.front();
    const std::string& target = sample.targets.front();
    Score score;
    score.verdict = right.greedy ? Verdict::kCorrect : Verdict::kIncorrect;
    score.values = {{"acc", right.greedy ? 1.0 : 0.0}, {"logprob", right.logprob}};
    if (right.greedy) score.answer = target;
    score.reason = fmt::format("'{}' has {:.2f} in {} token{}", shorten(target, 60), right.logprob,
                               right.tokens, right.tokens == 1 ? "" : "s");
    return score;
  }
};

}  // namespace

std::unique_ptr<Scorer> make_continuation_scorer(const Spec& spec, const ScorerContext& context) {
  JsonFields(spec.params, scorer_place(spec, context)).only({});
  return std::make_unique<Continuation>();
}

}  // namespace micius
