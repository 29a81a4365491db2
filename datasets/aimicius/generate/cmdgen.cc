#include "cmdgen.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"
#include "emu/registry.h"

namespace micius::aimicius {
namespace {

constexpr std::size_t kTestTotal = 480, kDevTotal = 60, kTuningTotal = 3200, kRobustTotal = 200;
constexpr int kTestByte = 38, kDevByte = 46;  // first byte of a combo's hash: below the first is the test
constexpr std::size_t kTries = 300;           // draws in a row that give no case

constexpr CommandQuota kQuotas[] = {
    {"nvidia", "nvidia-smi", 84}, {"nvidia", "NCCL", 48},    {"nvidia", "NVCC", 36},
    {"nvidia", "SuperBench", 30}, {"nvidia", "others", 42},  {"amd", "rocm-smi", 108},
    {"amd", "RCCL", 54},          {"amd", "SuperBench", 24}, {"amd", "others", 54}};

std::size_t share(std::size_t test, std::size_t total) {
  return static_cast<std::size_t>(std::llround(static_cast<double>(test * total) / kTestTotal));
}

int first_byte(const std::string& combo) {
  return std::stoi(sha256_hex("aimicius-1/cmdgen/" + combo).substr(0, 2), nullptr, 16);
}

Split split_of(const Content& content) {
  const int byte = first_byte(content.key());
  if (content.held || byte < kTestByte) return Split::kTest;
  return byte < kDevByte ? Split::kDev : Split::kTuning;
}

int difficulty_of(const std::string& reference, std::size_t options) {
  const bool more = reference.find_first_of("|>&") != std::string::npos ||
                    reference.find(" -H ") != std::string::npos ||
                    split_words(reference).front().find('=') != std::string_view::npos;
  return 1 + (options >= 3 ? 1 : 0) + (more ? 1 : 0);
}

std::size_t options_in(const std::string& reference) {
  const auto words = split_words(reference);
  return static_cast<std::size_t>(std::count_if(
      words.begin(), words.end(), [](std::string_view word) { return word.size() > 1 && word[0] == '-'; }));
}

// Frames of an intent that a split may use, with how often each was.
class Frames {
 public:
  Frames(const CommandSources& sources, Split split) {
    for (const Family& family : sources.families)
      for (std::size_t i = 0; i < family.frames.size(); ++i)
        if (allowed_by_family(split, family, i))
          frames_[family.group].push_back({&family, family.frames[i], i, 0});
  }
  // One of those used least.
  Frame& next(const std::string& intent, Rng& rng) {
    std::vector<Frame>& all = frames_.at(intent);
    int least = all.front().uses;
    for (const Frame& frame : all) least = std::min(least, frame.uses);
    std::vector<Frame*> rare;
    for (Frame& frame : all)
      if (frame.uses == least) rare.push_back(&frame);
    return *rare[rng.below(rare.size())];
  }

 private:
  std::map<std::string, std::vector<Frame>> frames_;
};

class Maker {
 public:
  Maker(const CommandSources& sources, const CaseChecker& checker, std::string stream)
      : sources_(sources), checker_(checker), stream_(std::move(stream)) {
    for (const auto& [platform, others] : sources.others) siblings_.try_emplace(platform, sources, platform);
    for (const CommandCombo& combo : sources.combos)
      for (Content& content : contents_of(combo))
        contents_[{split_of(content), combo.platform + combo.group}].push_back(std::move(content));
  }

  CommandSplits run() {
    for (const CommandQuota& quota : kQuotas) {
      if (!emulated(quota)) continue;
      make_test(quota);
      fill(Split::kDev, quota, share(quota.test, kDevTotal));
    }
    // What the test asks for is known before the first tuning case is drawn.
    for (const CommandQuota& quota : kQuotas)
      if (emulated(quota)) fill(Split::kTuning, quota, share(quota.test, kTuningTotal));
    make_robust();
    number();
    return std::move(splits_);
  }

 private:
  using Place = std::pair<Split, std::string>;

  bool emulated(const CommandQuota& quota) const {
    const std::string group = std::string(quota.platform) + quota.group;
    return std::any_of(sources_.combos.begin(), sources_.combos.end(), [&](const CommandCombo& combo) {
      return combo.platform + combo.group == group &&
             emu::find_program(program_of(combo.command), combo.platform) != nullptr;
    });
  }

  std::vector<std::string> profiles_of(const CommandCombo& combo) const {
    std::vector<std::string> names;
    for (const std::string& name : checker_.judge().catalog().profile_names()) {
      const bool fits = checker_.judge().catalog().profile(name).platform == combo.platform;
      const bool wanted = combo.profiles.empty() || std::find(combo.profiles.begin(), combo.profiles.end(),
                                                              name) != combo.profiles.end();
      if (fits && wanted) names.push_back(name);
    }
    return names;
  }

  CommandCase case_of(const std::string& profile, const std::string& reference) const {
    CommandCase item;
    item.machine.profile = profile;
    item.reference = reference;
    return item;
  }

  std::string form_of(const std::string& command, const std::string& platform) const {
    return checker_.judge().normal_forms().of(command, platform).value_or(command);
  }

  void make_test(const CommandQuota& quota) {
    std::size_t made = 0;
    for (const CuratedCommand& one : sources_.curated)
      if (one.platform == quota.platform && one.group == quota.group) made += add_curated(one);
    const std::size_t rest = quota.test - std::min(quota.test, made);
    const std::size_t held = std::min(rest, (quota.test + 5) / 10);
    fill(Split::kTest, quota, held, Held::kOnly);
    fill(Split::kTest, quota, rest - held, Held::kNone);
  }

  std::size_t add_curated(const CuratedCommand& one) {
    CommandCase item = case_of(one.profile, one.reference);
    if (!one.compare.empty()) item.channels = Channels(one.compare.begin(), one.compare.end());
    std::string why_not;
    const auto ending = checker_.ending_of(item, siblings_.at(one.platform), why_not);
    if (!ending) fail(ErrorCode::kInvalidData, "curated '{}': {}", one.reference, why_not);
    CommandItem made;
    made.slice = "curated";
    made.source = "adapted";
    made.group = one.group;
    made.platform = one.platform;
    made.profile = one.profile;
    made.request = one.request;
    made.reference = one.reference;
    made.expect_exit = ending->exit;
    made.tags = one.tags;
    if (one.reference.find("sudo ") != std::string::npos) made.tags.push_back("sudo");
    if (ending->soft && std::find(made.tags.begin(), made.tags.end(), "soft") == made.tags.end())
      made.tags.push_back("soft");
    made.compare = one.compare;
    made.spans = one.spans;
    made.combo = "curated " + form_of(one.reference, one.platform);
    made.family = "curated/" + std::to_string(splits_[Split::kTest].size());
    made.difficulty = difficulty_of(one.reference, options_in(one.reference));
    for (const std::string& other : one.accepted) {
      if (!checker_.same_effect(item, other))
        fail(ErrorCode::kInvalidData, "curated '{}': '{}' has another effect", one.reference, other);
      made.accepted.push_back(other);
    }
    return add(Split::kTest, std::move(made)) ? 1 : 0;
  }

  bool add(Split split, CommandItem item) {
    const std::string form = form_of(item.reference, item.platform);
    if (!known_.insert(item.profile + " " + form).second) return false;
    if (split == Split::kTest) test_forms_.insert(form);
    if (split != Split::kTest && test_forms_.count(form) != 0) return false;
    item.tool = program_of(item.reference);
    splits_[split].push_back(std::move(item));
    return true;
  }

  enum class Held { kNone, kOnly };

  void fill(Split split, const CommandQuota& quota, std::size_t count, Held held = Held::kNone) {
    const std::string group = std::string(quota.platform) + quota.group;
    std::map<const CommandCombo*, std::vector<const Content*>> by_combo;
    for (const Content& content : contents_[{split, group}]) {
      if (content.held != (held == Held::kOnly)) continue;
      if (emu::find_program(program_of(content.combo->command), quota.platform) == nullptr) continue;
      by_combo[content.combo].push_back(&content);
    }
    std::vector<std::vector<const Content*>> turns;
    for (const CommandCombo& combo : sources_.combos)  // by_combo is ordered by address
      if (const auto it = by_combo.find(&combo); it != by_combo.end()) turns.push_back(it->second);
    if (turns.empty() && count > 0)
      fail(ErrorCode::kInvalidData, "{}/{}: no combos for {}", quota.platform, quota.group,
           aimicius::name_of(split));
    Rng rng(fmt::format("{}/cmdgen/{}/{}/{}", stream_, aimicius::name_of(split), group,
                        held == Held::kOnly ? "held" : "draw"));
    Frames& frames = frames_.try_emplace(split, sources_, split).first->second;
    std::size_t made = 0, at = turns.size();
    for (std::size_t failed = 0; made < count;) {
      if (failed > kTries) {
        if (split == Split::kTuning) return;  // a small group has no more to ask; the table of counts says so
        fail(ErrorCode::kInvalidData, "{}/{}: only {} of {} cases for {}; more combos or values are needed",
             quota.platform, quota.group, made, count, aimicius::name_of(split));
      }
      if (at >= turns.size()) {
        rng.shuffle(turns);
        at = 0;
      }
      const auto& contents = turns[at++];
      const bool drawn = draw(split, *contents[rng.below(contents.size())], frames, rng);
      made += drawn ? 1 : 0;
      failed = drawn ? 0 : failed + 1;
    }
  }

  bool draw(Split split, const Content& content, Frames& frames, Rng& rng) {
    const CommandCombo& combo = *content.combo;
    const std::vector<std::string> profiles = profiles_of(combo);
    if (profiles.empty()) return false;
    const emu::Profile& profile = checker_.judge().catalog().profile(profiles[rng.below(profiles.size())]);
    const auto command = draw_command(content, profile, rng);
    if (!command) return false;
    const std::string reference = command->text(command->style);
    const std::string form = form_of(reference, combo.platform);
    if (known_.count(profile.name + " " + form) != 0) return false;
    if (split != Split::kTest && test_forms_.count(form) != 0) return false;
    const CommandCase item = case_of(profile.name, reference);
    std::string why_not;
    const auto ending = checker_.ending_of(item, siblings_.at(combo.platform), why_not);
    if (!ending || ending->soft || (split == Split::kTest && !ending->alike.empty())) return false;
    if ((ending->exit != 0) != combo.fails) return false;
    Frame& frame = frames.next(combo.intent, rng);
    const Request request = put_in_words(*command, frame.text, sources_, rng);
    const std::size_t words = split_words(request.text).size();
    if (words < 5 || words > 60) {
      ++frame.uses;
      return false;
    }
    CommandItem made;
    made.group = combo.group;
    made.slice = content.held ? "new-option" : "new-combo";
    made.source = "generated";
    made.family = frame.family->id;
    made.combo = content.key();
    made.platform = combo.platform;
    made.profile = profile.name;
    made.request = request.text;
    made.reference = reference;
    made.spans = request.spans;
    made.expect_exit = ending->exit;
    made.tags = combo.tags;
    if (combo.sudo) made.tags.push_back("sudo");
    if (command->style == Style::kLong) made.tags.push_back("long");
    made.difficulty = difficulty_of(reference, command->option_count());
    add_accepted(*command, item, made);
    if (split == Split::kTest) commands_.insert_or_assign(splits_[split].size(), *command);
    if (!add(split, std::move(made))) return false;
    ++frame.uses;
    return true;
  }

  // Other spellings with the same effect: the other style, ; for &&.
  void add_accepted(const Command& command, const CommandCase& item, CommandItem& made) const {
    std::vector<std::string> others = {
        command.text(command.style == Style::kLong ? Style::kShort : Style::kLong)};
    if (item.reference.find(" && ") != std::string::npos)
      others.push_back(replace_all(item.reference, " && ", "; "));
    for (const std::string& other : others)
      if (other != item.reference && checker_.same_effect(item, other)) made.accepted.push_back(other);
  }

  // Two more phrasings for test cases, from other families that only the test sees.
  void make_robust() {
    const std::vector<CommandItem>& test = splits_[Split::kTest];
    const std::size_t wanted = 2 * share(test.size(), kRobustTotal);
    Rng rng(stream_ + "/cmdgen/robust/draw");
    std::vector<std::size_t> order;
    for (const auto& [at, command] : commands_)
      if (at < test.size() && test[at].slice != "curated") order.push_back(at);
    rng.shuffle(order);
    std::vector<CommandItem> made;
    for (const std::size_t at : order) {
      if (made.size() >= wanted) break;
      add_phrasings(test[at], commands_.at(at), rng, made);
    }
    splits_[Split::kRobust] = std::move(made);
  }

  void add_phrasings(const CommandItem& item, const Command& command, Rng& rng,
                     std::vector<CommandItem>& made) const {
    std::vector<const Family*> others;
    for (const Family& family : sources_.families)
      if (family.group == command.content.combo->intent && allowed_by_family(Split::kRobust, family, 0) &&
          family.id != item.family)
        others.push_back(&family);
    std::vector<CommandItem> two;
    for (int tries = 0; tries < 60 && two.size() < 2; ++tries) {
      const Family& family = *others[rng.below(others.size())];
      if (!two.empty() && two[0].family == family.id) continue;
      const Request request =
          put_in_words(command, family.frames[rng.below(family.frames.size())], sources_, rng);
      const std::size_t words = split_words(request.text).size();
      if (words < 5 || words > 60 || request.text == item.request) continue;
      CommandItem other = item;
      other.request = request.text;
      other.spans = request.spans;
      other.family = family.id;
      two.push_back(std::move(other));
    }
    if (two.size() < 2) return;
    for (CommandItem& one : two) {
      one.of = fmt::format("cmdgen-test-{}-{:04}", item.group, &item - splits_.at(Split::kTest).data());
      made.push_back(std::move(one));
    }
  }

  void number() {
    for (auto& [split, items] : splits_)
      for (std::size_t i = 0; i < items.size(); ++i)
        items[i].id = fmt::format("cmdgen-{}-{}-{:04}", aimicius::name_of(split), items[i].group, i);
  }

  const CommandSources& sources_;
  const CaseChecker& checker_;
  const std::string stream_;
  std::map<std::string, Siblings> siblings_;  // by platform
  std::map<Place, std::vector<Content>> contents_;
  std::map<Split, Frames> frames_;
  CommandSplits splits_;
  std::map<std::size_t, Command> commands_;  // of test cases, by place
  std::set<std::string> known_;              // profile and normal form of every case
  std::set<std::string> test_forms_;
};

}  // namespace

CommandSplits make_commands(const CommandSources& sources, const CaseChecker& checker,
                            const std::string& stream) {
  return Maker(sources, checker, stream).run();
}

}  // namespace micius::aimicius
