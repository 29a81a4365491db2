#include "scorers/math.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/boxed.h"
#include "base/error.h"
#include "base/text.h"
#include "scorers/extract.h"
#include "scorers/latex_value.h"
#include "scorers/math_text.h"
#include "scorers/params.h"

namespace micius {
namespace {

const std::vector<std::string> kRules = {"minerva", "hendrycks"};

class Math final : public Scorer {
 public:
  Math(bool minerva, std::vector<std::string> stop) : is_minerva_(minerva), stop_(std::move(stop)) {}

  std::string_view name() const override { return "math"; }
  std::vector<std::string> metrics() const override {
    return {"exact_match", "string_match", "symbolic_match"};
  }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const std::optional<std::string> right = right_answer(sample.targets.front());
    if (!right) return {Verdict::kUnscored, {}, "", "the solution's \\boxed{} is not closed"};
    const auto answer = read(answer_text(turns.front().completion.text, stop_));
    if (!answer || strip(*answer).empty()) {
      return {Verdict::kNoAnswer,
              {{"exact_match", 0}, {"string_match", 0}, {"symbolic_match", 0}},
              "",
              "no answer where the task's rules look for it"};
    }
    const std::string ours = form(*answer), theirs = form(*right);
    const bool string = is_minerva_ ? ours == theirs : same_by_hendrycks(*answer, *right);
    const bool symbolic = same_value(ours, theirs) || same_value(*answer, *right);
    const bool exact = string || (is_minerva_ && symbolic);
    return {exact ? Verdict::kCorrect : Verdict::kIncorrect,
            {{"exact_match", exact ? 1. : 0.},
             {"string_match", string ? 1. : 0.},
             {"symbolic_match", symbolic ? 1. : 0.}},
            *answer,
            fmt::format("'{}' {} '{}'", shorten(ours, 60),
                        string     ? "is the text"
                        : symbolic ? "is another text with the value"
                                   : "is not",
                        shorten(theirs, 60))};
  }

 private:
  static std::optional<std::string> right_answer(const std::string& target) {
    if (target.find("\\boxed") == std::string::npos && target.find("\\fbox") == std::string::npos)
      return target;
    const auto boxed = last_boxed_only_string(target);
    return boxed ? remove_boxed(*boxed) : std::nullopt;
  }

  std::optional<std::string> read(std::string_view text) const {
    return is_minerva_ ? minerva_.answer(text) : std::string(between_dollars(text));
  }

  std::string form(const std::string& answer) const {
    return is_minerva_ ? minerva_.normal_form(answer) : strip_string(answer).value_or(answer);
  }

  static bool same_by_hendrycks(const std::string& a, const std::string& b) {
    const auto x = strip_string(a), y = strip_string(b);
    return x && y ? *x == *y : a == b;
  }

  const bool is_minerva_;
  const std::vector<std::string> stop_;
  const MinervaText minerva_;
};

}  // namespace

std::unique_ptr<Scorer> make_math_scorer(const Spec& spec, const ScorerContext& context) {
  const JsonFields fields(spec.params, scorer_place(spec, context));
  fields.only({"rules", "stop"});
  const std::string rules = fields.string_or("rules", kRules.front());
  if (rules != kRules[0] && rules != kRules[1])
    fail(ErrorCode::kUsage, "{}: unknown rules '{}'{}; there are {}", fields.where(), rules,
         did_you_mean(rules, kRules), join(kRules, ", "));
  return std::make_unique<Math>(rules == kRules.front(), fields.strings_or("stop", {}));
}

}  // namespace micius
