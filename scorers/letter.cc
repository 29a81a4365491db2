#include "scorers/letter.h"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "scorers/extract.h"
#include "scorers/params.h"

namespace micius {
namespace {

std::string plain(std::string_view text) {
  text = strip(text);
  if (text.ends_with('.')) text.remove_suffix(1);
  return lower_ascii(std::string(text));
}

// The one choice that the answer is.
std::optional<std::size_t> choice_by_text(std::string_view answer, const std::vector<std::string>& choices) {
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < choices.size(); ++i) {
    if (plain(choices[i]) != plain(answer)) continue;
    if (found) return std::nullopt;
    found = i;
  }
  return found;
}

std::string letter(std::size_t choice) { return std::string(1, static_cast<char>('A' + choice)); }

class LetterScorer final : public Scorer {
 public:
  std::string_view name() const override { return "letter"; }
  std::vector<std::string> metrics() const override { return {"acc_letter"}; }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    const auto gold = sample.extra.find("gold");
    if (gold == sample.extra.end() || !gold->is_number_unsigned() ||
        gold->get<std::size_t>() >= sample.choices.size())
      return {Verdict::kUnscored, {}, "", "the sample does not say which choice is right"};
    const std::string_view text = answer_text(turns.front().completion.text, {});
    auto chosen = read_letter(text, sample.choices.size());
    if (!chosen) chosen = choice_by_text(text, sample.choices);
    if (!chosen) return {Verdict::kNoAnswer, {{"acc_letter", 0}}, "", "no letter of a choice"};
    const auto right = gold->get<std::size_t>();
    const bool correct = *chosen == right;
    std::string reason = fmt::format("chose {}, '{}'", letter(*chosen), shorten(sample.choices[*chosen], 60));
    if (!correct)
      reason += fmt::format(", right is {}, '{}'", letter(right), shorten(sample.choices[right], 60));
    return {correct ? Verdict::kCorrect : Verdict::kIncorrect,
            {{"acc_letter", correct ? 1.0 : 0.0}},
            letter(*chosen),
            std::move(reason)};
  }
};

}  // namespace

std::unique_ptr<Scorer> make_letter_scorer(const Spec& spec, const ScorerContext& context) {
  JsonFields(spec.params, scorer_place(spec, context)).only({});
  return std::make_unique<LetterScorer>();
}

}  // namespace micius
