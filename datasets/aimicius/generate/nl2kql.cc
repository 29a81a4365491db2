#include "nl2kql.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

namespace micius::aimicius::nl2kql {
namespace {

constexpr std::size_t kTestTotal = 512, kDevTotal = 60, kTuningTotal = 5200, kRobustCases = 200;
constexpr int kTestByte = 40,
              kDevByte = 48;  // first byte of a combination's hash: below the first is the test
constexpr int kFirstTestOnly = 7;
constexpr double kNoise = 0.08;
constexpr int kTries = 5000;  // draws in a row that give no case

struct Combo {
  const Intent* intent;
  const Table* table;
  std::string key() const { return intent->name + "|" + table->name; }
};

Split split_of(const Combo& combo) {
  const int byte = std::stoi(sha256_hex("aimicius-1/nl2kql/" + combo.key()).substr(0, 2), nullptr, 16);
  if (byte < kTestByte) return Split::kTest;
  return byte < kDevByte ? Split::kDev : Split::kTuning;
}

class Maker {
 public:
  Maker(const KqlSources& sources, std::string stream) : sources_(sources), stream_(std::move(stream)) {
    Rng rng(stream_ + "/nl2kql/all/probe");
    for (const Intent& intent : sources.intents.intents) {
      for (const Table& table : sources.catalog.tables()) {
        const Combo combo{&intent, &table};
        if (bind(sources.catalog, sources.intents, intent, table, rng))
          combos_[split_of(combo)].push_back(combo);
      }
    }
  }

  ItemSplits run() {
    const bool twin = stream_ != "aimicius-1";
    if (!twin) add_curated();
    fill(Split::kTest, kTestTotal);
    if (!twin) {
      fill(Split::kDev, kDevTotal);
      fill(Split::kTuning, kTuningTotal);
    }
    for (auto& [split, items] : splits_) {
      Rng order(fmt::format("{}/nl2kql/{}/order", stream_, name_of(split)));
      shuffle(split, items, order);
      number(split, items);
    }
    if (!twin) make_robust();
    return std::move(splits_);
  }

 private:
  void add_curated() {
    std::size_t count = 0;
    for (const Curated& curated : sources_.curated) {
      Item item;
      item.source = item.slice = "curated";
      item.family = item.combo = fmt::format("curated/{:03}", ++count);
      item.question = item.shape = curated.question;
      item.query = curated.query;
      item.facts = facts_of(item.query, sources_.catalog, item.combo);
      item.group = item.facts.databases.empty() ? "" : item.facts.databases.front();
      asked_.insert(lower_ascii(item.question));
      queries_.insert(item.query);
      add(Split::kTest, std::move(item), std::nullopt);
    }
  }

  void add(Split split, Item item, std::optional<Bound> bound) {
    if (split == Split::kTest) bounds_.push_back(std::move(bound));
    splits_[split].push_back(std::move(item));
  }

  // Each combination in turn; each time in one of the frames that was used least.
  void fill(Split split, std::size_t total) {
    Rng rng(fmt::format("{}/nl2kql/{}/questions", stream_, name_of(split)));
    std::vector<Combo> order = combos_.at(split);
    std::size_t at = order.size();
    for (int failed = 0; splits_[split].size() < total;) {
      if (failed > kTries)
        fail(ErrorCode::kInvalidData, "nl2kql: {} of {} {} cases can be made", splits_[split].size(), total,
             name_of(split));
      if (at == order.size()) rng.shuffle(order), at = 0;
      failed = draw(split, order[at++], rng) ? 0 : failed + 1;
    }
  }

  struct Use {
    const Family* family;
    const std::string* frame;
    int uses;
  };

  Use& frame_of(Split split, const Intent& intent, Rng& rng) {
    std::vector<Use>& all = frames_[{split, intent.name}];
    if (all.empty()) {
      for (const Family& family : sources_.families) {
        for (std::size_t i = 0; family.group == intent.name && i < family.frames.size(); ++i) {
          if (allowed(split, family, i)) all.push_back({&family, &family.frames[i], 0});
        }
      }
    }
    int least = all.front().uses;
    for (const Use& use : all) least = std::min(least, use.uses);
    std::vector<Use*> rare;
    for (Use& use : all) {
      if (use.uses == least) rare.push_back(&use);
    }
    return *rare[rng.below(rare.size())];
  }

  bool draw(Split split, const Combo& combo, Rng& rng) {
    auto bound = bind(sources_.catalog, sources_.intents, *combo.intent, *combo.table, rng);
    if (!bound) return false;
    Item item;
    item.query = query_of(*bound);
    if (queries_.contains(item.query)) return false;
    Use& use = frame_of(split, *combo.intent, rng);
    ++use.uses;  // also where it gives no question, so that the next draw takes another
    if (!put_in_words(item, *bound, *use.family, *use.frame, rng)) return false;
    queries_.insert(item.query);
    item.source = "generated";
    item.combo = combo.key();
    item.group = combo.table->database;
    item.slice = split != Split::kTest                  ? name_of(split)
                 : use.family->number >= kFirstTestOnly ? "new-phrasing"
                                                        : "new-combo";
    item.facts = facts_of(item.query, sources_.catalog, item.combo);
    add(split, std::move(item), std::move(bound));
    return true;
  }

  // False for a question that was asked before, is too short or too long.
  bool put_in_words(Item& item, const Bound& bound, const Family& family, const std::string& frame,
                    Rng& rng) {
    const Asked asked = ask(bound, frame, rng);
    item.question = asked.question;
    item.shape = asked.shape;
    item.family = family.id;
    item.tags = {family.voice};
    if (rng.uniform() < kNoise) {
      item.question = sources_.contexts[rng.below(sources_.contexts.size())] + " " + item.question;
      item.tags.emplace_back("context");
    }
    const std::size_t words = split_words(item.question).size();
    if (words < kFewestWords || words > kMostWords) return false;
    return asked_.insert(lower_ascii(item.question)).second;
  }

  // The test's bindings move with its cases.
  void shuffle(Split split, std::vector<Item>& items, Rng& rng) {
    std::vector<std::size_t> order(items.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    rng.shuffle(order);
    std::vector<Item> moved;
    std::vector<std::optional<Bound>> bounds;
    for (const std::size_t i : order) {
      moved.push_back(std::move(items[i]));
      if (split == Split::kTest) bounds.push_back(std::move(bounds_[i]));
    }
    items = std::move(moved);
    if (split == Split::kTest) bounds_ = std::move(bounds);
  }

  static void number(Split split, std::vector<Item>& items) {
    std::map<std::string, int> numbers;
    for (Item& item : items)
      item.id = fmt::format("nl2kql-{}-{}-{:04}", name_of(split), item.group, ++numbers[item.group]);
  }

  // Two more phrasings, from other test-only families, for each of 200 generated test cases.
  void make_robust() {
    Rng rng(stream_ + "/nl2kql/robust/questions");
    const std::vector<Item>& test = splits_.at(Split::kTest);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < test.size(); ++i) {
      if (bounds_[i]) order.push_back(i);
    }
    rng.shuffle(order);
    std::vector<Item> made;
    for (const std::size_t i : order) {
      if (made.size() == 2 * kRobustCases) break;
      const std::vector<Item> pair = rephrased(test[i], *bounds_[i], rng);
      if (pair.size() == 2) made.insert(made.end(), pair.begin(), pair.end());
    }
    if (made.size() != 2 * kRobustCases)
      fail(ErrorCode::kInvalidData, "phrasings.json: too few frames for robust");
    number(Split::kRobust, made);
    splits_[Split::kRobust] = std::move(made);
  }

  std::vector<Item> rephrased(const Item& original, const Bound& bound, Rng& rng) {
    std::vector<const Family*> families;
    for (const Family& family : sources_.families) {
      if (family.group == bound.intent->name && family.number >= kFirstTestOnly &&
          family.id != original.family)
        families.push_back(&family);
    }
    rng.shuffle(families);
    std::vector<Item> pair;
    for (const Family* family : families) {
      if (pair.size() == 2) break;
      Item item = original;
      if (!put_in_words(item, bound, *family, family->frames[rng.below(family->frames.size())], rng))
        continue;
      item.of = original.id;
      item.slice = "new-phrasing";
      pair.push_back(std::move(item));
    }
    return pair;
  }

  const KqlSources& sources_;
  const std::string stream_;
  std::map<Split, std::vector<Combo>> combos_;
  std::map<std::pair<Split, std::string>, std::vector<Use>> frames_;
  std::set<std::string> asked_;               // questions in lower case, over all splits
  std::set<std::string> queries_;             // over all splits
  std::vector<std::optional<Bound>> bounds_;  // of the test's cases; curated ones have none
  ItemSplits splits_;
};

}  // namespace

ItemSplits make_items(const KqlSources& sources, const std::string& stream) {
  return Maker(sources, stream).run();
}

std::string line_of(const Item& item, const std::string& canary) {
  std::vector<std::string> tags = item.tags;
  tags.insert(tags.end(), item.facts.tags.begin(), item.facts.tags.end());
  Json line = {{"id", item.id},          {"group", item.group},
               {"slice", item.slice},    {"difficulty", item.facts.difficulty},
               {"source", item.source},  {"family", item.family},
               {"combo", item.combo},    {"tags", tags},
               {"licence", "CC-BY-4.0"}, {"canary", canary}};
  if (!item.of.empty()) line["of"] = item.of;
  line["question"] = item.question;
  line["query"] = item.query;
  line["clusters"] = item.facts.clusters;
  line["databases"] = item.facts.databases;
  line["tables"] = item.facts.tables;
  line["columns"] = item.facts.columns;
  return dump_json(line) + "\n";
}

}  // namespace micius::aimicius::nl2kql
