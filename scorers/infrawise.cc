#include "scorers/infrawise.h"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include <fmt/ranges.h>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "scorers/extract.h"
#include "scorers/params.h"
#include "scorers/record_search.h"

namespace micius {
namespace {

using Indices = std::set<std::int64_t>;

constexpr std::size_t kShownPart = 200;  // code points of a value that go on to turn 2
constexpr std::size_t kShownReason = 60;
constexpr std::size_t kFound = 10;  // records that the search finds for turn 2

enum class Part { kDesign, kCriterion, kWorkload };
enum class Mode { kEndToEnd, kDcw, kOracle, kRetrieved };

std::string join_words(const std::vector<std::string>& words) { return join(words, " "); }

std::string without_end_marks(std::string text) {
  while (!text.empty() && std::string_view(".,;:!?").find(text.back()) != std::string_view::npos)
    text.pop_back();
  return text;
}

std::vector<std::string> design_words(std::string text) {
  static const std::set<std::string> kIgnored = {"gpu", "nvidia", "amd", "instinct", "azure"};
  std::vector<std::string> words;
  text = replace_all(std::move(text), "standard_", "");
  for (const std::string_view word : split_words(text)) {
    if (!kIgnored.contains(std::string(word))) words.emplace_back(word);
  }
  return words;
}

std::vector<std::string> criterion_words(const std::string& text) {
  static const std::map<std::string, std::string> kSame = {
      {"10", "ten"},       {"5", "five"},         {"1", "one"},      {"30", "thirty"}, {"min", "minutes"},
      {"mins", "minutes"}, {"minute", "minutes"}, {"hour", "hours"}, {"hr", "hours"},  {"hrs", "hours"}};
  std::vector<std::string> words;
  for (const std::string_view word : split_words(text)) {
    const auto it = kSame.find(std::string(word));
    words.push_back(it == kSame.end() ? std::string(word) : it->second);
  }
  return words;
}

std::vector<std::string> workload_words(std::string text) {
  for (char& c : text) {
    if (c == '-' || c == '_') c = ' ';
  }
  std::vector<std::string> words;
  for (const std::string_view word : split_words(text)) words.emplace_back(word);
  return words;
}

// The words of a value after everything that does not count is taken away. Bounded: what no true value comes
// near is cut before the costly part.
std::vector<std::string> words_of(Part part, std::string_view value) {
  constexpr std::size_t kLongest = 4096;
  const std::string text = without_end_marks(lower_unicode(nfkc(strip(value.substr(0, kLongest)))));
  if (part == Part::kDesign) return design_words(text);
  if (part == Part::kCriterion) return criterion_words(text);
  return workload_words(text);
}

std::string normal_form(Part part, std::string_view value) {
  const std::string text = join_words(words_of(part, value));
  return part == Part::kWorkload ? replace_all(text, "all to all", "alltoall") : text;
}

// For each true value, in normal form, the normal forms of its aliases.
using Aliases = std::map<std::string, std::set<std::string>>;

Aliases aliases_of(const Json& entries, Part part, const std::string& where) {
  Aliases aliases;
  for (const Json& entry : entries) {
    const JsonFields fields(entry, where);
    auto& forms = aliases[normal_form(part, fields.string("name"))];
    for (const std::string& alias : fields.strings_or("aliases", {})) forms.insert(normal_form(part, alias));
  }
  return aliases;
}

struct Field {
  const char* metric;
  const char* label;
  Part part;
  std::string Dcw::*value;
};

constexpr Field kFields[] = {{"target", "Target", Part::kDesign, &Dcw::target},
                             {"baseline", "Baseline", Part::kDesign, &Dcw::baseline},
                             {"criterion", "Criterion", Part::kCriterion, &Dcw::criterion},
                             {"workload", "Workload", Part::kWorkload, &Dcw::workload}};

Dcw dcw_from(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  const JsonFields design = fields.object("Design");
  return {design.string("Target"), design.string("Baseline"), fields.string("Criterion"),
          fields.string("Workload")};
}

std::string shown(const Dcw& dcw) {
  return fmt::format("{} | {} | {} | {}", shorten(dcw.target, kShownReason),
                     shorten(dcw.baseline, kShownReason), shorten(dcw.criterion, kShownReason),
                     shorten(dcw.workload, kShownReason));
}

std::string shown(const Indices& indices) {
  constexpr std::size_t kMost = 20;
  if (indices.empty()) return "None";
  const auto end = std::next(indices.begin(), static_cast<std::ptrdiff_t>(std::min(kMost, indices.size())));
  return fmt::format("{}{}", fmt::join(indices.begin(), end, ", "), end == indices.end() ? "" : ", ...");
}

Indices minus(const Indices& a, const Indices& b) {
  Indices rest;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::inserter(rest, rest.end()));
  return rest;
}

double set_f1(const Indices& truth, const Indices& answer) {
  if (truth.empty() && answer.empty()) return 1;
  const double missed = static_cast<double>(minus(truth, answer).size());
  const double both = static_cast<double>(truth.size()) - missed;
  return 2 * both / static_cast<double>(truth.size() + answer.size());
}

// In the order of the task's metrics, the primary one first.
std::vector<std::string> metric_names(Mode mode) {
  const std::vector<std::string> parts = {"target", "baseline", "criterion", "workload"};
  std::vector<std::string> names;
  const auto add = [&](const std::vector<std::string>& more) {
    names.insert(names.end(), more.begin(), more.end());
  };
  if (mode == Mode::kDcw) add({"dcw"});
  if (mode != Mode::kDcw) add({"bench_accuracy"});
  if (mode != Mode::kOracle) add(parts);
  if (mode == Mode::kEndToEnd || mode == Mode::kRetrieved) add({"dcw"});
  if (mode != Mode::kDcw) add({"bench_recall", "bench_accuracy_not_none", "bench_f1"});
  if (mode == Mode::kRetrieved) add({"recall_at_10"});
  if (mode != Mode::kOracle) {
    for (const std::string& part : parts) names.push_back(part + "_words");
  }
  return names;
}

double one_if(bool right) { return right ? 1 : 0; }

// What was read, and the values by metric name.
struct Judgement {
  std::map<std::string, double> values;
  std::vector<std::string> answers, reasons;
  bool read = false;
};

class Infrawise final : public Scorer {
 public:
  // `search` is for kRetrieved and null in the other modes.
  Infrawise(Mode mode, const Json& vocabulary, const std::string& where, std::unique_ptr<RecordSearch> search)
      : mode_(mode), search_(std::move(search)) {
    const JsonFields fields(vocabulary, where);
    aliases_[Part::kDesign] = aliases_of(fields.at("designs"), Part::kDesign, where);
    aliases_[Part::kCriterion] = aliases_of(fields.at("criteria"), Part::kCriterion, where);
    aliases_[Part::kWorkload] = aliases_of(fields.at("workloads"), Part::kWorkload, where);
  }

  std::string_view name() const override { return "infrawise"; }

  Score score(const Sample& sample, std::span<const Turn> turns) const override {
    Judgement judgement;
    const bool selects = mode_ != Mode::kDcw;
    std::size_t turn = 0;
    if (mode_ != Mode::kOracle) {
      const bool read = judge_dcw(sample, turns[turn++].completion.text, judgement);
      if (!read) turn = turns.size();  // nothing was asked after it
    }
    if (selects) {
      const bool asked = turn < turns.size();
      const Indices truth =
          mode_ == Mode::kRetrieved ? found_matches(sample, turns, judgement) : given_matches(sample);
      judge_records(truth, asked ? std::string_view(turns[turn].completion.text) : std::string_view(),
                    judgement);
    }
    return finish(judgement);
  }

  std::string observe(const Sample&, std::span<const Turn> turns) const override {
    const bool two_turns = mode_ == Mode::kEndToEnd || mode_ == Mode::kRetrieved;
    if (!two_turns || turns.size() != 1) return "";
    const std::optional<Dcw> dcw = dcw_in(turns[0].completion.text);
    if (!dcw) return "";
    const Json design = {{"Target", shorten(dcw->target, kShownPart)},
                         {"Baseline", shorten(dcw->baseline, kShownPart)}};
    Json observation = {{"dcw",
                         {{"Design", design},
                          {"Criterion", shorten(dcw->criterion, kShownPart)},
                          {"Workload", shorten(dcw->workload, kShownPart)}}}};
    if (search_) add_found(observation);
    return dump_json(observation);
  }

  std::vector<std::string> metrics() const override { return metric_names(mode_); }

 private:
  static std::optional<Dcw> dcw_in(std::string_view text) {
    const auto answer = after_thinking(text);
    return answer ? read_dcw(*answer) : std::nullopt;
  }

  bool equal(Part part, const std::string& truth, const std::string& answer) const {
    const std::string wanted = normal_form(part, truth), given = normal_form(part, answer);
    if (wanted == given) return true;
    const Aliases& aliases = aliases_.at(part);
    const auto it = aliases.find(wanted);
    return it != aliases.end() && !wanted.empty() && it->second.contains(given);
  }

  static bool has_words(Part part, const std::string& truth, const std::string& answer) {
    std::vector<std::string> given = words_of(part, normal_form(part, answer));
    std::sort(given.begin(), given.end());
    const std::vector<std::string> wanted = words_of(part, normal_form(part, truth));
    return std::all_of(wanted.begin(), wanted.end(), [&](const std::string& word) {
      return std::binary_search(given.begin(), given.end(), word);
    });
  }

  // False if no DCW was read.
  bool judge_dcw(const Sample& sample, std::string_view text, Judgement& judgement) const {
    const Dcw truth = dcw_from(sample.extra.at("dcw"), sample.id + ": dcw");
    const std::optional<Dcw> answer = dcw_in(text);
    bool all = answer.has_value();
    for (const Field& field : kFields) {
      const std::string& wanted = truth.*field.value;
      const bool right = answer && equal(field.part, wanted, (*answer).*field.value);
      const bool words = answer && has_words(field.part, wanted, (*answer).*field.value);
      judgement.values[field.metric] = one_if(right);
      judgement.values[std::string(field.metric) + "_words"] = one_if(words);
      all = all && right;
      if (answer && !right) {
        judgement.reasons.push_back(fmt::format("{} is '{}' instead of '{}'", field.label,
                                                shorten((*answer).*field.value, kShownReason), wanted));
      }
    }
    judgement.values["dcw"] = one_if(all);
    if (!answer) {
      judgement.reasons.emplace_back("no DCW object could be read");
      return false;
    }
    judgement.read = true;
    judgement.answers.push_back(shown(*answer));
    return true;
  }

  static Indices given_matches(const Sample& sample) {
    const auto matches = sample.extra.at("matches").get<std::vector<std::int64_t>>();
    return {matches.begin(), matches.end()};
  }

  // Those of the found records that the true DCW matches; none were found where no DCW was read.
  static Indices found_matches(const Sample& sample, std::span<const Turn> turns, Judgement& judgement) {
    const auto relevant = sample.extra.at("relevant").get<std::set<std::string>>();
    Indices matches;
    if (!turns[0].observation.empty()) {
      const Json observation = parse_json(turns[0].observation, "observation of " + sample.id);
      std::int64_t index = 0;
      for (const Json& id : observation.at("found")) {
        if (relevant.contains(id.get<std::string>())) matches.insert(index);
        ++index;
      }
    }
    if (!relevant.empty()) {
      judgement.values["recall_at_10"] =
          static_cast<double>(matches.size()) / static_cast<double>(relevant.size());
    }
    return matches;
  }

  // What the search finds for the observation's DCW.
  void add_found(Json& observation) const {
    Json candidates = Json::array(), ids = Json::array();
    const Json& dcw = observation.at("dcw");
    std::string query = dcw.at("Workload");
    for (const Json& design : dcw.at("Design")) query += " " + design.get<std::string>();
    for (const std::size_t i : search_->best(query, kFound)) {
      Json shown = shown_record(search_->record(i));
      shown["index"] = candidates.size();
      candidates.push_back(std::move(shown));
      ids.push_back(search_->record(i).at("id"));
    }
    observation["candidates"] = std::move(candidates);
    observation["found"] = std::move(ids);
  }

  static void judge_records(const Indices& truth, std::string_view text, Judgement& judgement) {
    const auto readable = after_thinking(text);
    const std::optional<Indices> answer = readable ? read_indices(*readable) : std::nullopt;
    const bool exact = answer && *answer == truth;
    const bool none_missed = answer && minus(truth, *answer).empty();
    judgement.values["bench_accuracy"] = one_if(exact);
    judgement.values["bench_recall"] = one_if(truth.empty() ? exact : none_missed);
    judgement.values["bench_f1"] = answer ? set_f1(truth, *answer) : 0;
    if (!truth.empty()) judgement.values["bench_accuracy_not_none"] = one_if(exact);
    if (!answer) {
      judgement.reasons.emplace_back("no record numbers could be read");
      return;
    }
    judgement.read = true;
    judgement.answers.push_back(shown(*answer));
    if (const Indices missed = minus(truth, *answer); !missed.empty()) {
      judgement.reasons.push_back("records missed: " + shown(missed));
    }
    if (const Indices extra = minus(*answer, truth); !extra.empty()) {
      judgement.reasons.push_back("records that do not fit: " + shown(extra));
    }
  }

  Score finish(Judgement judgement) const {
    Score score;
    for (const std::string& metric : metric_names(mode_)) {
      const auto it = judgement.values.find(metric);
      if (it != judgement.values.end()) score.values.push_back({metric, it->second});
    }
    const auto positive = [](const Value& value) { return value.value > 0; };
    if (score.values.front().value == 1) {
      score.verdict = Verdict::kCorrect;
    } else if (std::any_of(score.values.begin(), score.values.end(), positive)) {
      score.verdict = Verdict::kPartial;
    } else {
      score.verdict = judgement.read ? Verdict::kIncorrect : Verdict::kNoAnswer;
    }
    score.answer = join(judgement.answers, " -> ");
    score.reason = join(judgement.reasons, "; ");
    return score;
  }

  Mode mode_;
  std::map<Part, Aliases> aliases_;
  std::unique_ptr<const RecordSearch> search_;  // null but for kRetrieved
};

Mode mode_of(const Spec& spec, const ScorerContext& context) {
  static const std::vector<std::pair<std::string, Mode>> kModes = {{"end-to-end", Mode::kEndToEnd},
                                                                   {"dcw", Mode::kDcw},
                                                                   {"oracle", Mode::kOracle},
                                                                   {"retrieved", Mode::kRetrieved}};
  const JsonFields fields(spec.params, scorer_place(spec, context));
  fields.only({"mode"});
  const std::string name = fields.string_or("mode", "end-to-end");
  std::vector<std::string> names;
  for (const auto& [known, mode] : kModes) {
    if (known == name) return mode;
    names.push_back(known);
  }
  fail(ErrorCode::kUsage, "{}: unknown mode '{}'{}; known: {}", fields.where(), name,
       did_you_mean(name, names), join(names, ", "));
}

}  // namespace

std::unique_ptr<Scorer> make_infrawise_scorer(const Spec& spec, const ScorerContext& context) {
  const Mode mode = mode_of(spec, context);
  const auto folder = context.roots.share / "datasets/aimicius/infrawise";
  const auto path = folder / "vocabulary.json";
  std::unique_ptr<RecordSearch> search;
  if (mode == Mode::kRetrieved) search = std::make_unique<RecordSearch>(folder / "pool.jsonl");
  return std::make_unique<Infrawise>(mode, parse_json(read_file(path), path.string()), path.string(),
                                     std::move(search));
}

}  // namespace micius
