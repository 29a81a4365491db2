#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "core/names.h"
#include "pipeline/duel.h"
#include "pipeline/must_pass_internal.h"

namespace micius {
namespace {

constexpr std::size_t kNamed = 10;

// "1 of 3 is not correct: 299", or nothing.
std::vector<std::string> sentence(const std::vector<std::string>& ids, std::size_t all, const char* what) {
  if (ids.empty()) return {};
  const std::vector<std::string> first(ids.begin(), ids.begin() + std::min(ids.size(), kNamed));
  std::string text = fmt::format("{} of {} {} {}: {}", ids.size(), all, ids.size() == 1 ? "is" : "are", what,
                                 join(first, ", "));
  if (ids.size() > kNamed) text += fmt::format(" and {} more", ids.size() - kNamed);
  return {text};
}

}  // namespace

GateCheck must_pass_check(const Store& store, const MustPass& wanted, const Run* run) {
  GateCheck check;
  check.task = wanted.task;
  check.metric = "must_pass";
  check.rule = fmt::format("{} samples correct", wanted.samples.size());
  check.verdict = GateVerdict::kFail;
  if (run == nullptr) {
    check.reason = "the current runs lack this task";
    return check;
  }
  check.current_run = run->id;
  std::map<std::string, bool> correct;  // in every repeat
  store.for_each_score(run->id, [&](const Record& record) {
    bool& all = correct.try_emplace(record.sample.id, true).first->second;
    all = all && !record.failure && record.score.verdict == Verdict::kCorrect;
  });
  const std::vector<std::string>& planned = run->spec.sample_ids;
  std::vector<std::string> wrong, absent;
  std::size_t unasked = 0;
  for (const std::string& id : wanted.samples) {
    const auto it = correct.find(id);
    if (it != correct.end()) {
      if (!it->second) wrong.push_back(id);
    } else if (std::find(planned.begin(), planned.end(), id) == planned.end()) {
      absent.push_back(id);
    } else {
      ++unasked;
    }
  }
  const std::size_t all = wanted.samples.size();
  std::vector<std::string> reasons = sentence(wrong, all, "not correct");
  for (std::string& text : sentence(absent, all, "not there, the run has no such sample"))
    reasons.push_back(std::move(text));
  check.reason = join(reasons, "; ");
  check.samples = wrong;
  check.samples.insert(check.samples.end(), absent.begin(), absent.end());
  check.worse = check.samples.size();
  if (check.worse > 0) return check;
  check.verdict = unasked == 0 ? GateVerdict::kPass : GateVerdict::kInconclusive;
  const auto number = static_cast<std::int64_t>(run->id);
  check.reason =
      unasked == 0
          ? "all are correct"
          : fmt::format(
                "{} of {} were not asked: the run {}; `micius resume {}` asks them", unasked, all,
                was_decided(*run) ? "was stopped once decided" : "is " + std::string(name_of(run->status)),
                number);
  return check;
}

}  // namespace micius
