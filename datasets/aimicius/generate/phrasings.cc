#include "phrasings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "frames.h"

namespace micius::aimicius {
namespace {

constexpr std::size_t kFewestFamilies = 9, kFewestFrames = 4;
constexpr int kFirstTestOnly = 7;

constexpr std::array<const char*, 11> kSlots = {"the",  "bare",  "many", "the2", "bare2", "many2",
                                                "noun", "doing", "do",   "crit", "per"};

bool has(const std::string& frame, const char* slot) {
  return frame.find("{" + std::string(slot) + "}") != std::string::npos;
}

bool has_any(const std::string& frame, std::initializer_list<const char*> slots) {
  return std::any_of(slots.begin(), slots.end(), [&](const char* slot) { return has(frame, slot); });
}

const std::string& one_of(const std::vector<std::string>& forms, Rng& rng) {
  return forms[rng.below(forms.size())];
}

// "train BERT-Large" -> "training BERT-Large".
std::string gerund(const std::string& verb_phrase) {
  const std::size_t blank = verb_phrase.find(' ');
  std::string verb = verb_phrase.substr(0, blank);
  if (verb == "run") verb = "runn";
  if (verb.back() == 'e') verb.pop_back();
  return verb + "ing" + verb_phrase.substr(blank);
}

std::string slot_text(const std::string& slot, const Dcw& dcw, const Vocabulary& vocabulary, Rng& rng) {
  const bool second = slot.back() == '2';
  const std::string kind = second ? slot.substr(0, slot.size() - 1) : slot;
  if (kind == "the" || kind == "bare" || kind == "many") {
    const Design& design = vocabulary.design(second ? dcw.baseline : dcw.target);
    return one_of(kind == "the" ? design.the : kind == "bare" ? design.bare : design.many, rng);
  }
  if (kind == "crit") return one_of(vocabulary.criterion(dcw.criterion).noun, rng);
  if (kind == "per") return one_of(vocabulary.criterion(dcw.criterion).per, rng);
  const Workload& workload = vocabulary.workload(dcw.workload);
  if (kind == "noun") return one_of(workload.noun, rng);
  const std::string& verb = one_of(workload.verbs, rng);
  return kind == "do" ? verb : gerund(verb);
}

void check_frame(const Family& family, const std::string& frame) {
  for_each_part(
      frame, "phrasings.json", [](const std::string&) {},
      [&](const std::string& slot) {
        if (std::find(kSlots.begin(), kSlots.end(), slot) != kSlots.end()) return;
        fail(ErrorCode::kInvalidData, "phrasings.json: {}: '{}' has no slot '{}'{}", family.id, frame, slot,
             did_you_mean(slot, {kSlots.begin(), kSlots.end()}));
      });
}

Family read_family(const JsonFields& f) {
  Family family;
  family.id = f.string("id");
  const std::size_t slash = family.id.find("/p");
  if (slash == std::string::npos) fail(ErrorCode::kInvalidData, "{}: id must be GROUP/pN", f.where());
  family.group = family.id.substr(0, slash);
  family.number = std::stoi(family.id.substr(slash + 2));
  family.voice = f.string("voice");
  family.frames = f.strings_or("frames", {});
  if (family.frames.size() < kFewestFrames) {
    fail(ErrorCode::kInvalidData, "{}: {} has {} frames; it needs {}", f.where(), family.id,
         family.frames.size(), kFewestFrames);
  }
  for (const std::string& frame : family.frames) check_frame(family, frame);
  return family;
}

Dcw dcw_from(const JsonFields& f) {
  const JsonFields design = f.object("Design");
  return {design.string("Target"), design.string("Baseline"), f.string("Criterion"), f.string("Workload")};
}

// The places of a frame where a letter may slip: words of five letters or more that carry no meaning a DCW
// needs.
std::vector<std::pair<std::size_t, std::size_t>> plain_words(const std::string& frame) {
  static const std::set<std::string> kMeaning = {
      "versus",   "against",  "compare",   "compared",  "instead",   "replace",  "relative",
      "baseline", "ahead",    "better",    "within",    "improve",   "improves", "prefer",
      "outdo",    "stronger", "candidate", "yardstick", "reference", "speedup",  "upgrade",
      "retire",   "rather",   "behind",    "azure",     "workload",  "hardware"};
  std::vector<std::pair<std::size_t, std::size_t>> words;
  std::size_t at = 0;
  const auto scan = [&](const std::string& text) {
    for (std::size_t i = 0; i < text.size();) {
      std::size_t end = i;
      while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])) != 0) ++end;
      const std::string word = lower_ascii(text.substr(i, end - i));
      const bool whole = (i == 0 || text[i - 1] != '\'') && (end == text.size() || text[end] != '\'');
      if (word.size() >= 5 && whole && !kMeaning.contains(word)) words.emplace_back(at + i, word.size());
      i = std::max(end, i + 1);
    }
    at += text.size();
  };
  for_each_part(frame, "phrasings.json", scan, [&](const std::string& slot) { at += slot.size() + 2; });
  return words;
}

// Two neighbours swapped or one letter left out, never the first or the last.
std::string with_slip(std::string frame, Rng& rng) {
  const auto words = plain_words(frame);
  if (words.empty()) return frame;
  const auto [start, size] = words[rng.below(words.size())];
  const std::size_t at = start + 1 + rng.below(size - 3);
  if (rng.below(2) == 0 && frame[at] != frame[at + 1]) {
    std::swap(frame[at], frame[at + 1]);
  } else {
    frame.erase(at, 1);
  }
  return frame;
}

}  // namespace

const char* name_of(Split split) {
  switch (split) {
    case Split::kTest:
      return "test";
    case Split::kDev:
      return "dev";
    case Split::kTuning:
      return "tuning";
    case Split::kRobust:
      return "robust";
  }
  return "";
}

Json Dcw::json() const {
  return {{"Design", {{"Target", target}, {"Baseline", baseline}}},
          {"Criterion", criterion},
          {"Workload", workload}};
}

std::string Dcw::combo() const { return target + "|" + baseline + "|" + criterion + "|" + workload; }

Phrasings Phrasings::read(const std::filesystem::path& path) {
  const std::string where = path.string();
  const Json json = parse_json(read_file(path), where);
  const JsonFields file(json, where);
  if (file.integer("micius_infrawise_phrasings") != 1)
    fail(ErrorCode::kInvalidData, "{}: unknown version", where);
  Phrasings phrasings;
  std::map<std::string, std::size_t> counts;
  for (const Json& item : file.at("families")) {
    phrasings.families.push_back(read_family(JsonFields(item, where + ": families")));
    ++counts[phrasings.families.back().group];
  }
  for (const auto& [group, count] : counts) {
    if (count < kFewestFamilies) {
      fail(ErrorCode::kInvalidData, "{}: group '{}' has {} families; it needs {}", where, group, count,
           kFewestFamilies);
    }
  }
  phrasings.contexts = file.strings_or("contexts", {});
  for (const Json& item : file.at("curated")) {
    const JsonFields f(item, where + ": curated");
    Curated curated{f.string("question"), dcw_from(f.object("dcw")), std::nullopt};
    if (f.has("matches")) curated.matches = static_cast<int>(f.integer("matches"));
    phrasings.curated.push_back(std::move(curated));
  }
  return phrasings;
}

bool allowed(Split split, const Family& family, std::size_t frame) {
  const bool test_only = family.number >= kFirstTestOnly;
  if (split == Split::kRobust) return test_only;
  if (split == Split::kTest) return test_only || frame % 2 == 1;
  return !test_only && frame % 2 == 0;
}

bool allowed_by_family(Split split, const Family& family, std::size_t /*frame*/) {
  const bool test = split == Split::kTest || split == Split::kRobust;
  return test == (family.number >= kFirstTestOnly);
}

bool holds(const std::string& frame, const Dcw& dcw, const Vocabulary& vocabulary) {
  const bool verb = has_any(frame, {"do", "doing"});
  return has_any(frame, {"the", "bare", "many"}) == !dcw.target.empty() &&
         has_any(frame, {"the2", "bare2", "many2"}) == !dcw.baseline.empty() &&
         has_any(frame, {"crit", "per"}) == (dcw.criterion != "default") &&
         (verb || has(frame, "noun")) == (dcw.workload != "default") &&
         (!verb || !vocabulary.workload(dcw.workload).verbs.empty());
}

std::string fill(const std::string& frame, const Dcw& dcw, const Vocabulary& vocabulary, Rng& rng) {
  std::string question;
  for_each_part(
      frame, "phrasings.json", [&](const std::string& text) { question += text; },
      [&](const std::string& slot) { question += slot_text(slot, dcw, vocabulary, rng); });
  return question;
}

Noisy with_noise(const std::string& frame, const Dcw& dcw, const Vocabulary& vocabulary,
                 const std::vector<std::string>& contexts, Rng& rng) {
  switch (rng.below(3)) {
    case 0:
      return {lower_ascii(fill(frame, dcw, vocabulary, rng)), "lower-case"};
    case 1: {
      const std::string slipped = with_slip(frame, rng);
      return {fill(slipped, dcw, vocabulary, rng), slipped == frame ? "" : "typing-slip"};
    }
    default:
      return {one_of(contexts, rng) + " " + fill(frame, dcw, vocabulary, rng), "context"};
  }
}

}  // namespace micius::aimicius
