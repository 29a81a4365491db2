#include "scorers/exact_match.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "base/text.h"
#include "scorers/extract.h"
#include "scorers/filters.h"
#include "scorers/params.h"

namespace micius {
namespace {

constexpr std::size_t kShown = 60;

// What two texts are brought to before they are compared.
struct Form {
  std::vector<Pattern> ignored;
  bool case_ = false, punctuation = false, numbers = false;

  std::string of(std::string text) const {
    for (const Pattern& pattern : ignored) text = pattern.replace_all(text, "");
    if (case_) text = lower_unicode(text);
    if (punctuation) std::erase_if(text, is_ascii_punctuation);
    if (numbers) std::erase_if(text, [](char c) { return c >= '0' && c <= '9'; });
    return text;
  }
};

struct Params {
  std::vector<Filter> filters;
  std::vector<std::string> stop;
  Form form;
};

// What one filter made of a completion.
struct Outcome {
  Reading reading;
  std::string form;
  bool right = false;
};

class ExactMatch final : public Scorer {
 public:
  explicit ExactMatch(Params params) : params_(std::move(params)) {}

  std::string_view name() const override { return "exact_match"; }
  std::vector<std::string> metrics() const override {
    if (params_.filters.size() == 1) return {"exact_match"};
    std::vector<std::string> names;
    for (const Filter& filter : params_.filters) names.push_back("exact_match," + filter.name);
    names.emplace_back("filters_differ");
    return names;
  }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const std::string_view text = answer_text(turns.front().completion.text, params_.stop);
    std::vector<std::string> targets;
    for (const std::string& target : sample.targets) targets.push_back(params_.form.of(target));
    std::vector<Outcome> outcomes;
    for (const Filter& filter : params_.filters) {
      Outcome& outcome = outcomes.emplace_back();
      outcome.reading = filter.read(text, sample);
      outcome.form = params_.form.of(outcome.reading.answer);
      outcome.right = std::find(targets.begin(), targets.end(), outcome.form) != targets.end();
    }
    Score score;
    const Outcome& first = outcomes.front();
    score.verdict = first.right                                   ? Verdict::kCorrect
                    : strip(text).empty() || !first.reading.found ? Verdict::kNoAnswer
                                                                  : Verdict::kIncorrect;
    score.answer = first.reading.answer;
    score.reason = reason(outcomes, targets);
    const std::vector<std::string> names = metrics();
    for (std::size_t i = 0; i < outcomes.size(); ++i)
      score.values.push_back({names[i], outcomes[i].right ? 1.0 : 0.0});
    if (outcomes.size() > 1) score.values.push_back({names.back(), differ(outcomes) ? 1.0 : 0.0});
    return score;
  }

 private:
  static bool differ(const std::vector<Outcome>& outcomes) {
    return std::any_of(outcomes.begin(), outcomes.end(),
                       [&](const Outcome& outcome) { return outcome.form != outcomes.front().form; });
  }

  std::string reason(const std::vector<Outcome>& outcomes, const std::vector<std::string>& targets) const {
    std::vector<std::string> parts;
    bool all_right = true;
    for (std::size_t i = 0; i < outcomes.size(); ++i) {
      const Outcome& outcome = outcomes[i];
      all_right = all_right && outcome.right;
      parts.push_back(
          fmt::format("{}{} {}", outcomes.size() > 1 ? params_.filters[i].name + ": " : "",
                      outcome.reading.found ? "'" + shorten(outcome.form, kShown) + "'" : "nothing",
                      outcome.right ? "is right" : "is wrong"));
    }
    if (!all_right && !targets.empty())
      parts.push_back("right is '" + shorten(targets.front(), kShown) + "'");
    return join(parts, "; ");
  }

  Params params_;
};

}  // namespace

std::unique_ptr<Scorer> make_exact_match_scorer(const Spec& spec, const ScorerContext& context) {
  const JsonFields fields(spec.params, scorer_place(spec, context));
  fields.only(
      {"filter_list", "stop", "regexes_to_ignore", "ignore_case", "ignore_punctuation", "ignore_numbers"});
  Params params;
  params.filters = read_filters(fields, "filter_list");
  params.stop = fields.strings_or("stop", {});
  params.form.ignored = read_patterns(fields, "regexes_to_ignore");
  params.form.case_ = fields.boolean_or("ignore_case", false);
  params.form.punctuation = fields.boolean_or("ignore_punctuation", false);
  params.form.numbers = fields.boolean_or("ignore_numbers", false);
  return std::make_unique<ExactMatch>(std::move(params));
}

}  // namespace micius
