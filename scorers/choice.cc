#include "scorers/choice.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "scorers/params.h"

namespace micius {
namespace {

const std::vector<std::string> kDefaultMetrics = {"acc_norm", "acc"};
const std::vector<std::string> kMetrics = {"acc_norm", "acc", "acc_bytes", "acc_token", "exact_match"};

// The indices of the right choices; empty if the sample does not say or says nonsense.
std::vector<std::size_t> right_choices(const Sample& sample) {
  const auto it = sample.extra.find("gold");
  if (it == sample.extra.end()) return {};
  std::vector<std::size_t> right;
  for (const Json& gold : it->is_array() ? *it : Json::array({*it})) {
    if (!gold.is_number_unsigned() || gold.get<std::size_t>() >= sample.choices.size()) return {};
    right.push_back(gold.get<std::size_t>());
  }
  return right;
}

double per(double logprob, std::size_t length) {
  return length == 0 ? -std::numeric_limits<double>::infinity() : logprob / static_cast<double>(length);
}

double per_code_point(double logprob, const std::string& choice) { return per(logprob, code_points(choice)); }

// What the choice with the highest one is right by. Not for exact_match.
double weight(const std::string& metric, const Likelihood& likelihood, const std::string& choice) {
  if (metric == "acc_norm") return per_code_point(likelihood.logprob, choice);
  if (metric == "acc_bytes") return per(likelihood.logprob, choice.size());
  if (metric == "acc_token")
    return per(likelihood.logprob, static_cast<std::size_t>(std::max(0, likelihood.tokens)));
  return likelihood.logprob;
}

std::size_t first_highest(const std::vector<double>& values) {
  return static_cast<std::size_t>(std::max_element(values.begin(), values.end()) - values.begin());
}

Score unscored(std::string reason) { return {Verdict::kUnscored, {}, "", std::move(reason)}; }

class ChoiceScorer final : public Scorer {
 public:
  explicit ChoiceScorer(std::vector<std::string> metrics) : metrics_(std::move(metrics)) {}

  std::string_view name() const override { return "choice"; }
  std::vector<std::string> metrics() const override { return kMetrics; }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const std::vector<Likelihood>& likelihoods = turns.front().completion.likelihoods;
    if (likelihoods.empty()) return no_answer();
    if (likelihoods.size() != sample.choices.size()) {
      return unscored(
          fmt::format("{} log-likelihoods for {} choices", likelihoods.size(), sample.choices.size()));
    }
    const std::vector<std::size_t> right = right_choices(sample);
    if (right.empty()) return unscored("the sample does not say which choice is right");
    for (std::size_t i = 0; i < likelihoods.size(); ++i) {
      if (std::isnan(likelihoods[i].logprob))
        return unscored(fmt::format("the log-likelihood of choice {} is not a number", i + 1));
    }
    return judge(sample, likelihoods, right);
  }

 private:
  Score no_answer() const {
    Score score{Verdict::kNoAnswer, {}, "", "no log-likelihoods"};
    for (const std::string& metric : metrics_) score.values.push_back({metric, 0});
    return score;
  }

  Score judge(const Sample& sample, const std::vector<Likelihood>& likelihoods,
              const std::vector<std::size_t>& right) const {
    Score score;
    std::size_t primary = 0;
    for (const std::string& metric : metrics_) {
      if (metric == "exact_match") {
        const bool greedy =
            std::any_of(right.begin(), right.end(), [&](std::size_t i) { return likelihoods[i].greedy; });
        score.values.push_back({metric, greedy ? 1.0 : 0.0});
        continue;
      }
      std::vector<double> weights;
      for (std::size_t i = 0; i < likelihoods.size(); ++i)
        weights.push_back(weight(metric, likelihoods[i], sample.choices[i]));
      const std::size_t chosen = first_highest(weights);
      if (score.values.empty()) primary = chosen;
      score.values.push_back({metric, std::count(right.begin(), right.end(), chosen) > 0 ? 1.0 : 0.0});
    }
    score.verdict = score.values.front().value == 1 ? Verdict::kCorrect : Verdict::kIncorrect;
    score.answer = sample.choices[primary];
    const auto describe = [&](std::size_t i) {
      const double logprob = likelihoods[i].logprob;
      return fmt::format("'{}' ({:.2f}, {:.3f} a character)", shorten(sample.choices[i], 60), logprob,
                         per_code_point(logprob, sample.choices[i]));
    };
    score.reason = "chose " + describe(primary);
    if (score.verdict == Verdict::kIncorrect) score.reason += ", right is " + describe(right.front());
    return score;
  }

  std::vector<std::string> metrics_;
};

}  // namespace

std::unique_ptr<Scorer> make_choice_scorer(const Spec& spec, const ScorerContext& context) {
  const JsonFields params(spec.params, scorer_place(spec, context));
  params.only({"metrics"});
  std::vector<std::string> metrics = params.strings_or("metrics", kDefaultMetrics);
  for (const std::string& metric : metrics) {
    if (std::find(kMetrics.begin(), kMetrics.end(), metric) == kMetrics.end())
      fail(ErrorCode::kUsage, "{}: unknown metric '{}'{}; it gives {}", params.where(), metric,
           did_you_mean(metric, kMetrics), join(kMetrics, ", "));
  }
  if (metrics.empty()) fail(ErrorCode::kUsage, "{}: field 'metrics' is empty", params.where());
  if (metrics.front() == "exact_match")
    fail(ErrorCode::kUsage, "{}: 'exact_match' chooses nothing, so it cannot be first of 'metrics'",
         params.where());
  return std::make_unique<ChoiceScorer>(std::move(metrics));
}

}  // namespace micius
