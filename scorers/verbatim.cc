#include "scorers/verbatim.h"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include "base/text.h"
#include "scorers/extract.h"
#include "scorers/params.h"

namespace micius {
namespace {

using Words = std::span<const std::string_view>;

std::size_t common_prefix(Words a, Words b) {
  const auto [end, other] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(end - a.begin());
}

class Verbatim final : public Scorer {
 public:
  std::string_view name() const override { return "verbatim"; }
  std::vector<std::string> metrics() const override { return {"verbatim", "words"}; }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const std::string_view text = after_thinking(turns.front().completion.text).value_or("");
    const auto input = split_words(sample.input), target = split_words(sample.targets.front());
    const auto all = split_words(text);
    Words answer = all;
    if (common_prefix(answer, input) == input.size()) answer = answer.subspan(input.size());
    const std::size_t same = common_prefix(answer, target);
    Score score;
    score.values = {{"verbatim", same == target.size() ? 1.0 : 0.0},
                    {"words", static_cast<double>(same) / static_cast<double>(target.size())}};
    score.verdict = same == target.size() ? Verdict::kCorrect
                    : same > 0            ? Verdict::kPartial
                    : answer.empty()      ? Verdict::kNoAnswer
                                          : Verdict::kIncorrect;
    const Words shown = answer.first(std::min(answer.size(), target.size()));
    score.answer = join(std::vector<std::string>(shown.begin(), shown.end()), " ");
    score.reason = fmt::format("{} of {} words go on as in the data", same, target.size());
    return score;
  }
};

}  // namespace

std::unique_ptr<Scorer> make_verbatim_scorer(const Spec& spec, const ScorerContext& context) {
  JsonFields(spec.params, scorer_place(spec, context)).only({});
  return std::make_unique<Verbatim>();
}

}  // namespace micius
