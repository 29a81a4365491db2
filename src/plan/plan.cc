#include "plan/plan.h"

#include <cctype>
#include <cstdint>
#include <optional>

#include "base/text.h"

namespace micius::plan {
namespace {

bool is_blank(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Moves over one text, step by step, bracket by bracket. What a failed attempt at a step has read holds no
// second beginning of a step, so each byte is read at most twice.
class Reader {
 public:
  Reader(std::string_view text, std::vector<std::size_t>* offsets) : text_(text), offsets_(offsets) {}

  Plan read() {
    bool line_start = true;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (line_start && !is_blank(c)) {
        line_start = false;
        if (begins_round()) ++header_;
      }
      if (c == '\n') line_start = true;
      if (c == '[') open();
      if (c == ']') close();
      if (c == 'D') {
        const std::size_t begin = at_;
        if (const auto step = read_step()) {
          add(*step, begin);
          continue;
        }
      }
      ++at_;
    }
    return choose();
  }

 private:
  struct Found {
    Step step;
    int group = -1;  // -1: loose
    int round = 0;   // in the group, or after which header
    std::size_t offset = 0;
  };

  bool begins_round() const {
    constexpr std::string_view word = "round";
    if (lower_ascii(text_.substr(at_, word.size())) != word) return false;
    const std::size_t end = at_ + word.size();
    return end >= text_.size() || std::isalpha(static_cast<unsigned char>(text_[end])) == 0;
  }

  void open() {
    ++depth_;
    if (depth_ == 1) {
      group_ = -1;
      nested_ = false;
    } else if (depth_ == 2) {
      nested_ = true;
      ++round_;
    }
    if (group_ >= 0) groups_nested_[group_] = nested_;
  }

  void close() {
    if (depth_ > 0) --depth_;
  }

  void add(const Step& step, std::size_t offset) {
    if (depth_ == 0) {
      found_.push_back({step, -1, header_, offset});
      return;
    }
    if (group_ < 0) {
      group_ = static_cast<int>(groups_nested_.size());
      groups_nested_.push_back(nested_);
    }
    if (depth_ == 1) ++round_;
    found_.push_back({step, group_, round_, offset});
    if (depth_ == 1) ++round_;  // an inner list after it opens its own
  }

  bool literal(std::size_t& at, std::string_view token) const {
    while (at < text_.size() && is_blank(text_[at])) ++at;
    if (text_.substr(at, token.size()) != token) return false;
    at += token.size();
    return true;
  }

  bool number(std::size_t& at, int& value) const {
    constexpr std::size_t kMostDigits = 9;
    constexpr int kHuge = 999'999'999;
    while (at < text_.size() && is_blank(text_[at])) ++at;
    const std::size_t begin = at;
    value = 0;
    for (; at < text_.size() && is_digit(text_[at]); ++at) {
      if (at - begin < kMostDigits) value = 10 * value + (text_[at] - '0');
    }
    if (at - begin > kMostDigits) value = kHuge;
    return at > begin;
  }

  // Moves behind the step if there is one.
  std::optional<Step> read_step() {
    Step step;
    std::size_t at = at_;
    const bool is_step = literal(at, "D(") && number(at, step.owner) && literal(at, ",") &&
                         number(at, step.chunk) && literal(at, ")") && literal(at, ":") &&
                         literal(at, "G(") && number(at, step.src) && literal(at, ")") && literal(at, "=>") &&
                         literal(at, "G(") && number(at, step.dst) && literal(at, ")");
    if (!is_step) return std::nullopt;
    at_ = at;
    return step;
  }

  // The found steps that pass; rounds where what `round` gives changes.
  template <typename Passes, typename Round>
  Plan collect(PlanKind kind, Passes&& passes, Round&& round) const {
    Plan plan;
    plan.kind = kind;
    std::optional<int> last;
    for (const Found& found : found_) {
      if (!passes(found)) continue;
      if (kind == PlanKind::kRounds && last && *last != round(found))
        plan.round_ends.push_back(plan.steps.size());
      last = round(found);
      plan.steps.push_back(found.step);
      if (offsets_ != nullptr) offsets_->push_back(found.offset);
    }
    if (kind == PlanKind::kRounds) plan.round_ends.push_back(plan.steps.size());
    return plan;
  }

  Plan choose() const {
    if (found_.empty()) return {};
    const int groups = static_cast<int>(groups_nested_.size());
    const auto round = [](const Found& found) { return found.round; };
    for (int group = groups - 1; group >= 0; --group) {
      if (!groups_nested_[group]) continue;
      return collect(
          PlanKind::kRounds, [&](const Found& found) { return found.group == group; }, round);
    }
    bool loose = false, under_header = false;
    for (const Found& found : found_) {
      loose = loose || found.group < 0;
      under_header = under_header || (found.group < 0 && found.round > 0);
    }
    if (groups > 1 && !loose) {
      return collect(
          PlanKind::kRounds, [](const Found&) { return true; }, [](const Found& f) { return f.group; });
    }
    const auto in_last = [&](const Found& found) { return found.group == groups - 1; };  // -1: the loose ones
    const bool headers = groups == 0 && under_header;
    return collect(headers ? PlanKind::kRounds : PlanKind::kSteps, in_last, round);
  }

  std::string_view text_;
  std::vector<std::size_t>* offsets_;
  std::size_t at_ = 0;
  std::int64_t depth_ = 0;
  int group_ = -1;  // the open group's number once it holds a step
  int round_ = 0, header_ = 0;
  bool nested_ = false;
  std::vector<bool> groups_nested_;  // of each group that holds a step
  std::vector<Found> found_;
};

std::string step_text(const Step& step) {
  return "\"D(" + std::to_string(step.owner) + ", " + std::to_string(step.chunk) + "): G(" +
         std::to_string(step.src) + ") => G(" + std::to_string(step.dst) + ")\"";
}

}  // namespace

void Plan::add_round(const std::vector<Step>& round) {
  if (round.empty()) return;
  kind = PlanKind::kRounds;
  steps.insert(steps.end(), round.begin(), round.end());
  round_ends.push_back(steps.size());
}

Plan as_list(Plan plan) {
  if (plan.kind == PlanKind::kRounds) plan.kind = PlanKind::kSteps;
  plan.round_ends.clear();
  return plan;
}

Plan read_plan(std::string_view text, std::vector<std::size_t>* offsets) {
  if (offsets != nullptr) offsets->clear();
  return Reader(text, offsets).read();
}

std::string write_plan(const Plan& plan) {
  std::string text = "[";
  std::size_t round = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const bool first_of_round = plan.kind == PlanKind::kRounds &&
                                (i == 0 || (round < plan.round_ends.size() && i == plan.round_ends[round]));
    if (first_of_round && i > 0) ++round;
    if (i > 0) text += first_of_round ? "], " : ", ";
    if (first_of_round) text += "[";
    text += step_text(plan.steps[i]);
  }
  if (plan.kind == PlanKind::kRounds) text += "]";
  return text + "]";
}

}  // namespace micius::plan
