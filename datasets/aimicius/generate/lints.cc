#include "lints.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/text.h"
#include "predicate.h"

namespace micius::aimicius {
namespace {

constexpr double kTrigramDistance = 0.2, kEditDistance = 0.15;
constexpr std::size_t kFewestWords = 5, kMostWords = 60, kMostUnknown = 3;
constexpr double kNoneShare = 0.16, kNoneSlack = 0.01;

// Lower-case words with blanks around them: what is not a letter, a digit, - or _ is a blank.
std::string spaced_words(const std::string& text) {
  std::string out = " ";
  for (const char c : lower_ascii(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-') {
      out += c;
    } else if (out.back() != ' ') {
      out += ' ';
    }
  }
  return out;
}

std::set<std::string> trigrams(const std::string& frame) {
  std::vector<std::string_view> words = split_words(frame);
  std::set<std::string> grams;
  for (std::size_t i = 0; i + 2 < words.size(); ++i) {
    grams.insert(fmt::format("{} {} {}", words[i], words[i + 1], words[i + 2]));
  }
  return grams;
}

double trigram_distance(const std::string& a, const std::string& b) {
  const auto left = trigrams(a), right = trigrams(b);
  std::size_t both = 0;
  for (const std::string& gram : left) both += right.count(gram);
  const std::size_t all = left.size() + right.size() - both;
  return all == 0 ? 1 : 1 - static_cast<double>(both) / static_cast<double>(all);
}

std::size_t edit_distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t corner = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = corner + (a[i - 1] == b[j - 1] ? 0 : 1);
      corner = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, change}));
    }
  }
  return row[b.size()];
}

void lint_designs(const Case& item, const Sources& sources) {
  std::string text = spaced_words(item.question);
  // Longer names first, so that "ND H100 v5" goes before the H100 in it could be seen.
  std::vector<std::string> own, others;
  for (const Design& design : sources.vocabulary.designs()) {
    const bool asked = design.name == item.dcw.target || design.name == item.dcw.baseline;
    bool found = false;
    for (const auto* forms : {&design.bare, &design.many}) {
      for (const std::string& form : *forms) {
        (asked ? own : others).push_back(spaced_words(form));
        found = found || text.find(spaced_words(form)) != std::string::npos;
      }
    }
    if (asked && !found)
      fail(ErrorCode::kInvalidData, "{}: '{}' does not name {}", item.id, item.question, design.name);
  }
  std::sort(own.begin(), own.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  for (const std::string& form : own) text = replace_all(text, form, " | ");
  for (const std::string& form : others) {
    if (text.find(form) != std::string::npos) {
      fail(ErrorCode::kInvalidData, "{}: '{}' names{}as well", item.id, item.question, form);
    }
  }
}

void lint_criterion(const Case& item, const Sources& sources) {
  const std::string text = lower_ascii(item.question);
  for (const Criterion& criterion : sources.vocabulary.criteria()) {
    if (criterion.name == "default") continue;
    const bool cued = std::any_of(criterion.cues.begin(), criterion.cues.end(), [&](const std::string& cue) {
      return text.find(cue) != std::string::npos;
    });
    if (cued == (criterion.name == item.dcw.criterion)) continue;
    fail(ErrorCode::kInvalidData, "{}: '{}' {} '{}'", item.id, item.question,
         cued ? "has a word for" : "has no word for", criterion.name);
  }
}

std::set<std::string> triples(const Dcw& dcw) {
  const std::string rest = "|" + dcw.workload + "|" + dcw.criterion;
  if (dcw.baseline.empty()) return {dcw.target + rest};
  return {dcw.target + rest, dcw.baseline + rest};
}

void lint_case_matches(const Case& item, TextPredicate& predicate) {
  Json found = Json::array();
  for (const Json& candidate : item.candidates.shown) {
    if (predicate.fits(candidate, item.dcw.json())) found.push_back(candidate.at("index"));
  }
  if (found != item.candidates.matches) {
    fail(ErrorCode::kInvalidData, "{} ({}): the second predicate finds {} where the first has {}", item.id,
         item.dcw.combo(), found.dump(), item.candidates.matches.dump());
  }
  if (found.size() == item.candidates.shown.size()) {
    fail(ErrorCode::kInvalidData, "{}: every candidate fits", item.id);
  }
  if (item.dcw.baseline.empty() || found.empty()) return;
  for (const std::string& side : {item.dcw.target, item.dcw.baseline}) {
    const Dcw alone{side, "", item.dcw.criterion, item.dcw.workload};
    const bool has =
        std::any_of(item.candidates.shown.begin(), item.candidates.shown.end(),
                    [&](const Json& candidate) { return predicate.fits(candidate, alone.json()); });
    if (!has) fail(ErrorCode::kInvalidData, "{}: no record of {}", item.id, side);
  }
}

}  // namespace

void lint_frames(const Phrasings& phrasings, FrameRule allowed) {
  std::vector<std::string> tuning, test;
  for (const Family& family : phrasings.families) {
    for (std::size_t i = 0; i < family.frames.size(); ++i) {
      (allowed(Split::kTest, family, i) ? test : tuning).push_back(family.frames[i]);
    }
  }
  for (const Curated& curated : phrasings.curated) test.push_back(curated.question);
  for (const std::string& a : test) {
    for (const std::string& b : tuning) {
      const double edits = static_cast<double>(edit_distance(a, b));
      if (trigram_distance(a, b) < kTrigramDistance ||
          edits < kEditDistance * static_cast<double>(a.size())) {
        fail(ErrorCode::kInvalidData, "phrasings.json: test '{}' is too near to tuning '{}'", a, b);
      }
    }
  }
}

void lint_questions(const Splits& splits, const Sources& sources) {
  std::set<std::string> asked;
  for (const auto& [split, cases] : splits) {
    for (const Case& item : cases) {
      const std::size_t words = split_words(item.question).size();
      if (words < kFewestWords || words > kMostWords) {
        fail(ErrorCode::kInvalidData, "{}: '{}' has {} words", item.id, item.question, words);
      }
      if (!asked.insert(lower_ascii(item.question)).second) {
        fail(ErrorCode::kInvalidData, "{}: '{}' is asked twice", item.id, item.question);
      }
      lint_designs(item, sources);
      lint_criterion(item, sources);
    }
  }
}

void lint_splits(const Splits& splits) {
  std::map<std::string, Split> combos;
  std::set<std::string> tuned;
  for (const auto& [split, cases] : splits) {
    if (split == Split::kRobust) continue;
    for (const Case& item : cases) {
      const auto [it, is_new] = combos.try_emplace(item.dcw.combo(), split);
      if (it->second != split)
        fail(ErrorCode::kInvalidData, "{}: {} is in two splits", item.id, item.dcw.combo());
      if (split != Split::kTuning) continue;
      for (const std::string& triple : triples(item.dcw)) tuned.insert(triple);
    }
  }
  for (const auto& [split, cases] : splits) {
    for (const Case& item : cases) {
      const int number = item.family.back() - '0';
      if ((split == Split::kTuning || split == Split::kDev) && number >= 7) {
        fail(ErrorCode::kInvalidData, "{}: family {} is the test's alone", item.id, item.family);
      }
      if (split != Split::kTest || item.slice != "new-combo") continue;
      for (const std::string& triple : triples(item.dcw)) {
        if (tuned.contains(triple))
          fail(ErrorCode::kInvalidData, "{}: {} is in the tuning data", item.id, triple);
      }
    }
  }
}

void lint_matches(const Splits& splits, const Sources& sources) {
  TextPredicate predicate;
  for (const auto& [split, cases] : splits) {
    std::size_t none = 0, unknown = 0;
    for (const Case& item : cases) {
      lint_case_matches(item, predicate);
      if (item.candidates.matches.empty()) ++none;
      if (sources.pool.count("", item.dcw.workload) == 0) ++unknown;
    }
    if (unknown > kMostUnknown) {
      fail(ErrorCode::kInvalidData, "{}: {} cases of workloads without any record", name_of(split), unknown);
    }
    const double share = static_cast<double>(none) / static_cast<double>(cases.size());
    if (split != Split::kRobust && std::abs(share - kNoneShare) > kNoneSlack) {
      fail(ErrorCode::kInvalidData, "{}: a share of {:.3} has no match, {} is due", name_of(split), share,
           kNoneShare);
    }
  }
}

}  // namespace micius::aimicius
