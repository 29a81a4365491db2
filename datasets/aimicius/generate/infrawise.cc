#include "infrawise.h"

#include <algorithm>
#include <functional>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "combos.h"
#include "quotas.h"

namespace micius::aimicius {
namespace {

constexpr double kNoise = 0.15, kOddSize = 0.10, kComparedByCriterion = 0.30;
constexpr std::size_t kUsualSize = 10, kFewestOthers = 5, kRobustCases = 200;
constexpr int kTries = 400;

std::string criterion_class(const std::string& criterion) {
  return criterion.rfind("performance in", 0) == 0 ? "time" : criterion;
}

// A criterion class other than the default: peak 30 %, cost 25 %, energy 25 %, time 20 %.
std::string draw_criterion_class(Rng& rng) {
  const double u = rng.uniform();
  if (u < 0.30) return "peak performance";
  if (u < 0.55) return "cost effectiveness";
  return u < 0.80 ? "energy efficiency" : "time";
}

bool has_records(const Pool& pool, const Dcw& dcw, std::size_t matching) {
  if (matching == 0) return true;
  const std::size_t target = pool.count(dcw.target, dcw.workload);
  if (dcw.baseline.empty()) return target >= matching;
  const std::size_t baseline = pool.count(dcw.baseline, dcw.workload);
  return matching >= 2 && target >= 1 && baseline >= 1 && target + baseline >= matching;
}

class Maker {
 public:
  Maker(const Sources& sources, const Recipe& recipe)
      : sources_(sources),
        recipe_(recipe),
        combos_(sources.vocabulary, sources.pool, curated_combos(sources)),
        uses_(sources.pool.records().size()) {
    for (const Curated& curated : sources.phrasings.curated) asked_.insert(lower_ascii(curated.question));
  }

  std::vector<Case> make(Split split) {
    Rng rng = stream(split, "questions");
    frames_.clear();
    for (const Family& family : sources_.phrasings.families) {
      for (std::size_t i = 0; i < family.frames.size(); ++i) {
        if (allowed(split, family, i)) frames_[family.group].push_back({&family, family.frames[i], i, 0});
      }
    }
    combo_uses_.clear();
    auto matches = matches_by_group(cases_of(split), rng);
    std::vector<Case> cases;
    if (split == Split::kTest && !recipe_.twin) add_curated(matches, cases, rng);
    for (const auto& [group, counts] : matches) {
      for (const std::size_t matching : counts) cases.push_back(generate(split, group, matching, rng));
    }
    Rng order = stream(split, "order");
    order.shuffle(cases);
    number(split, cases);
    return cases;
  }

  // Two more phrasings, from other test-only families, for each of 200 generated test cases.
  std::vector<Case> robust(const std::vector<Case>& test) {
    Rng rng = stream(Split::kRobust, "questions");
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < test.size(); ++i) {
      if (test[i].source == "generated") order.push_back(i);
    }
    rng.shuffle(order);
    std::vector<Case> cases;
    for (const std::size_t i : order) {
      if (cases.size() == 2 * kRobustCases) break;
      const std::vector<Case> pair = rephrased(test[i], rng);
      if (pair.size() == 2) cases.insert(cases.end(), pair.begin(), pair.end());
    }
    if (cases.size() != 2 * kRobustCases)
      fail(ErrorCode::kInvalidData, "phrasings.json: too few frames for robust");
    number(Split::kRobust, cases);
    return cases;
  }

 private:
  static std::set<std::string> curated_combos(const Sources& sources) {
    std::set<std::string> combos;
    for (const Curated& curated : sources.phrasings.curated) combos.insert(curated.dcw.combo());
    return combos;
  }

  Rng stream(Split split, const char* purpose) const {
    return Rng(fmt::format("{}/infrawise/{}/{}", recipe_.stream, name_of(split), purpose));
  }

  std::optional<Candidates> candidates(const Dcw& dcw, std::size_t matching, Rng& rng) {
    static constexpr std::size_t kOddSizes[] = {8, 9, 11, 12};
    Wanted wanted{kUsualSize, matching};
    if (rng.uniform() < kOddSize) wanted.size = kOddSizes[rng.below(4)];
    if (wanted.size < matching + kFewestOthers) wanted.size = kUsualSize;
    return draw_candidates(sources_.pool, sources_.vocabulary, dcw, wanted, uses_, rng);
  }

  // Curated questions count in the quotas of their class.
  void add_curated(std::map<std::string, std::vector<std::size_t>>& matches, std::vector<Case>& cases,
                   Rng& rng) {
    int number = 0;
    for (const Curated& curated : sources_.phrasings.curated) {
      Case item;
      item.group = group_of(curated.dcw, sources_.vocabulary);
      item.slice = item.source = "curated";
      item.family = fmt::format("curated/{:03}", ++number);
      item.question = curated.question;
      item.dcw = curated.dcw;
      std::vector<std::size_t>& left = matches.at(item.group);
      bool made = false;
      for (std::size_t i = 0; i < left.size() && !made; ++i) {
        const bool wanted =
            curated.matches ? left[i] == static_cast<std::size_t>(*curated.matches) : left[i] > 0;
        if (!wanted || !has_records(sources_.pool, item.dcw, left[i])) continue;
        auto drawn = candidates(item.dcw, left[i], rng);
        if (!drawn) continue;
        item.candidates = *std::move(drawn);
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(i));
        made = true;
      }
      if (!made)
        fail(ErrorCode::kInvalidData, "phrasings.json: no records for the curated '{}'", curated.question);
      cases.push_back(std::move(item));
    }
  }

  // Of the combinations that pass, one that was used least.
  const Dcw* least_used(const std::vector<Dcw>& combos, const std::function<bool(const Dcw&)>& passes,
                        Rng& rng) {
    std::vector<const Dcw*> best;
    int fewest = 1 << 30;
    for (const Dcw& dcw : combos) {
      if (!passes(dcw)) continue;
      const int uses = combo_uses_[&dcw];
      if (uses < fewest) best.clear(), fewest = uses;
      if (uses == fewest) best.push_back(&dcw);
    }
    return best.empty() ? nullptr : best[rng.below(best.size())];
  }

  const Dcw* draw_combo(Split split, const std::string& group, std::size_t matching, Rng& rng) {
    std::string wanted = "default";
    if (group == "criterion" || (group == "compare" && rng.uniform() < kComparedByCriterion)) {
      wanted = draw_criterion_class(rng);
    }
    // What a vague question leaves open: the workload, the workload of two designs, or the design.
    const std::size_t kind = matching == 1 ? 2 * rng.below(2) : rng.below(3);
    return least_used(
        combos_.of(split, group),
        [&](const Dcw& dcw) {
          if (criterion_class(dcw.criterion) != wanted) return false;
          if (group == "vague" && kind != (dcw.target.empty() ? 2u : dcw.baseline.empty() ? 0u : 1u))
            return false;
          return has_records(sources_.pool, dcw, matching);
        },
        rng);
  }

  Frame* draw_frame(const std::string& group, const Dcw& dcw, Rng& rng) {
    std::vector<Frame*> best;
    for (Frame& frame : frames_.at(group)) {
      if (!holds(frame.text, dcw, sources_.vocabulary)) continue;
      if (!best.empty() && frame.uses < best.front()->uses) best.clear();
      if (best.empty() || frame.uses == best.front()->uses) best.push_back(&frame);
    }
    return best.empty() ? nullptr : best[rng.below(best.size())];
  }

  Noisy ask(const std::string& frame, const Dcw& dcw, Rng& rng) {
    const Sources& s = sources_;
    if (rng.uniform() < kNoise) return with_noise(frame, dcw, s.vocabulary, s.phrasings.contexts, rng);
    return {fill(frame, dcw, s.vocabulary, rng), ""};
  }

  Case generate(Split split, const std::string& group, std::size_t matching, Rng& rng) {
    for (int i = 0; i < kTries; ++i) {
      const Dcw* dcw = draw_combo(split, group, matching, rng);
      if (dcw == nullptr) continue;
      ++combo_uses_[dcw];
      Frame* frame = draw_frame(group, *dcw, rng);
      if (frame == nullptr) continue;
      ++frame->uses;
      const Noisy noisy = ask(frame->text, *dcw, rng);
      if (asked_.contains(lower_ascii(noisy.question))) continue;
      auto drawn = candidates(*dcw, matching, rng);
      if (!drawn) continue;
      asked_.insert(lower_ascii(noisy.question));
      Case item;
      item.group = group;
      item.source = "generated";
      item.slice = slice_of(split, *frame->family, *dcw);
      item.family = frame->family->id;
      item.frame = frame->text;
      item.question = noisy.question;
      item.dcw = *dcw;
      item.tags = {frame->family->voice};
      if (!noisy.tag.empty()) item.tags.push_back(noisy.tag);
      item.candidates = *std::move(drawn);
      return item;
    }
    fail(ErrorCode::kInvalidData, "infrawise: no {} case of class {} with {} matches can be made",
         name_of(split), group, matching);
  }

  std::string slice_of(Split split, const Family& family, const Dcw& dcw) const {
    if (split != Split::kTest) return name_of(split);
    if (allowed(Split::kRobust, family, 0)) return "new-phrasing";
    return combos_.held_out(dcw.workload) ? "new-option" : "new-combo";
  }

  std::vector<Case> rephrased(const Case& original, Rng& rng) {
    std::vector<const Family*> families;
    for (const Family& family : sources_.phrasings.families) {
      if (family.group == original.group && allowed(Split::kRobust, family, 0) &&
          family.id != original.family) {
        families.push_back(&family);
      }
    }
    rng.shuffle(families);
    std::vector<Case> cases;
    for (const Family* family : families) {
      std::vector<std::string> frames;
      for (const std::string& frame : family->frames) {
        if (holds(frame, original.dcw, sources_.vocabulary)) frames.push_back(frame);
      }
      if (frames.empty() || cases.size() == 2) continue;
      Case item = original;
      item.frame = frames[rng.below(frames.size())];
      item.question = fill(item.frame, item.dcw, sources_.vocabulary, rng);
      if (!asked_.insert(lower_ascii(item.question)).second) continue;
      item.of = original.id;
      item.slice = "new-phrasing";
      item.family = family->id;
      item.tags = {family->voice};
      cases.push_back(std::move(item));
    }
    return cases;
  }

  static void number(Split split, std::vector<Case>& cases) {
    std::map<std::string, int> numbers;
    for (Case& item : cases) {
      item.id = fmt::format("infrawise-{}-{}-{:04}", name_of(split), item.group, ++numbers[item.group]);
      const bool judged = !item.dcw.baseline.empty() || item.dcw.criterion != "default";
      item.difficulty = 1 + (judged ? 1 : 0) + (item.candidates.near_traps >= 2 ? 1 : 0);
    }
  }

  const Sources& sources_;
  const Recipe& recipe_;
  Combos combos_;
  Uses uses_;
  std::set<std::string> asked_;  // questions in lower case, over all splits
  std::map<std::string, std::vector<Frame>> frames_;
  std::map<const Dcw*, int> combo_uses_;
};

}  // namespace

Splits make_splits(const Sources& sources, const Recipe& recipe) {
  Maker maker(sources, recipe);
  Splits splits;
  splits[Split::kTest] = maker.make(Split::kTest);
  if (recipe.twin) return splits;
  splits[Split::kDev] = maker.make(Split::kDev);
  splits[Split::kTuning] = maker.make(Split::kTuning);
  splits[Split::kRobust] = maker.robust(splits[Split::kTest]);
  return splits;
}

std::string line_of(const Case& item, const std::string& canary) {
  Json line = {{"id", item.id},
               {"group", item.group},
               {"slice", item.slice},
               {"difficulty", item.difficulty},
               {"source", item.source},
               {"family", item.family},
               {"combo", item.dcw.combo()},
               {"tags", item.tags},
               {"licence", "CC-BY-4.0"},
               {"canary", canary}};
  if (!item.of.empty()) line["of"] = item.of;
  line["question"] = item.question;
  line["dcw"] = item.dcw.json();
  line["candidates"] = item.candidates.shown;
  line["matches"] = item.candidates.matches;
  line["traps"] = item.candidates.traps;
  return dump_json(line) + "\n";
}

}  // namespace micius::aimicius
