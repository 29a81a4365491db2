#include "scorers/exact.h"

#include <string>
#include <utility>

#include "base/text.h"
#include "scorers/filters.h"
#include "scorers/params.h"

namespace micius {
namespace {

struct ExactOptions {
  bool ignore_case = false, ignore_punctuation = false, strip = true;
};

class ExactScorer final : public Scorer {
 public:
  explicit ExactScorer(ExactOptions options) : options_(options) {}

  std::string_view name() const override { return "exact"; }
  std::vector<std::string> metrics() const override { return {"acc"}; }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const std::string answer = in_form(turns.front().completion.text);
    for (const std::string& target : sample.targets) {
      if (in_form(target) != answer) continue;
      return {Verdict::kCorrect, {{"acc", 1}}, answer, fmt::format("equals '{}'", shorten(target, 60))};
    }
    const std::string expected = sample.targets.empty() ? "" : shorten(sample.targets.front(), 60);
    return {
        answer.empty() ? Verdict::kNoAnswer : Verdict::kIncorrect,
        {{"acc", 0}},
        answer,
        fmt::format("expected '{}'{}", expected,
                    sample.targets.size() > 1 ? fmt::format(" or {} other", sample.targets.size() - 1) : "")};
  }

 private:
  std::string in_form(const std::string& text) const {
    std::string form = options_.ignore_case ? lower_unicode(text) : text;
    if (options_.ignore_punctuation) std::erase_if(form, is_ascii_punctuation);
    return options_.strip ? std::string(micius::strip(form)) : form;
  }

  ExactOptions options_;
};

}  // namespace

std::unique_ptr<Scorer> make_exact_scorer(const Spec& spec, const ScorerContext& context) {
  const JsonFields params(spec.params, scorer_place(spec, context));
  params.only({"ignore_case", "ignore_punctuation", "strip"});
  ExactOptions options;
  options.ignore_case = params.boolean_or("ignore_case", options.ignore_case);
  options.ignore_punctuation = params.boolean_or("ignore_punctuation", options.ignore_punctuation);
  options.strip = params.boolean_or("strip", options.strip);
  return std::make_unique<ExactScorer>(options);
}

}  // namespace micius
