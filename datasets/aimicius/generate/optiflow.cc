#include "optiflow.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <numeric>
#include <optional>
#include <set>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "plan/bound.h"
#include "quotas.h"
#include "suite.h"

namespace micius::aimicius::optiflow {
namespace {

namespace fs = std::filesystem;
using plan::CostModel;
using plan::Machine;

constexpr std::size_t kGenerateItems = 5'047;  // of the tuning split; the others improve
constexpr int kMostChunks = 96;                // of all GPUs
constexpr std::int64_t kLeastBytes = 4 << 10, kMostBytes = 64 << 20;  // of a GPU
constexpr std::size_t kEffort = 8'000, kTuningEffort = 600;
constexpr int kTries = 400;

// What the bound is made of: latency alone for over 60 %, for under 20 %, or between.
enum class Size { kLatency, kMixed, kBandwidth };
constexpr Size kSizes[] = {Size::kLatency, Size::kMixed, Size::kBandwidth};

const char* tag_of(Size size) {
  return size == Size::kLatency ? "latency-bound" : size == Size::kMixed ? "mixed" : "bandwidth-bound";
}

Split split_of(const std::string& hash) {
  const int byte = Sha256().update("aimicius-1/optiflow/" + hash).digest()[0];
  return byte < 64 ? Split::kTest : byte < 72 ? Split::kDev : Split::kTuning;
}

// Of the two forms of direct sends, where they are possible.
std::optional<std::int64_t> direct_ps(const std::vector<Solution>& all) {
  std::optional<std::int64_t> least;
  for (const Solution& one : all) {
    if (one.recipe.method == Method::kDirect)
      least = std::min(one.latency_ps, least.value_or(one.latency_ps));
  }
  return least;
}

// 1: direct sends do well; 2: they can be done; 3: they cannot.
int difficulty_of(std::optional<std::int64_t> direct_ps, std::int64_t best_ps) {
  if (!direct_ps) return 3;
  return 10 * *direct_ps <= 11 * best_ps ? 1 : 2;
}

struct Drawn {
  Machine machine;
  std::string family, hash;
  int chunks = 1;
};

// Is there so much to improve that it makes a case?
bool leaves_enough(const Solution& initial, const Solution& best) {
  return 5 * initial.latency_ps > 6 * best.latency_ps;
}

class Maker {
 public:
  Maker(const Sources& sources, Split split, const std::string& stream)
      : sources_(sources),
        split_(split),
        stream_(fmt::format("{}/optiflow/{}", stream, name_of(split))),
        rng_(stream_) {
    for (const NamedMachine& one : sources.topologies.named()) named_hashes_.insert(graph_hash(one.machine));
  }

  std::vector<Case> run(bool with_named) {
    std::vector<double> shares;
    const std::vector<std::string> families = sources_.topologies.families();
    for (const std::string& family : families) shares.push_back(sources_.topologies.share(family));
    const std::vector<std::size_t> quotas = apportion(split_size(split_), shares);
    for (std::size_t i = 0; i < families.size(); ++i) make_family(families[i], quotas[i], with_named);
    rng_.shuffle(cases_);
    if (split_ == Split::kTuning)
      name_kinds();
    else
      move_all();
    small_ones_first();
    number();
    return std::move(cases_);
  }

 private:
  void make_family(const std::string& family, std::size_t quota, bool with_named) {
    std::size_t made = with_named ? make_named(family) : 0;
    for (; made < quota; ++made) cases_.push_back(make_one(family, made));
  }

  std::size_t make_named(const std::string& family) {
    std::size_t made = 0;
    for (const NamedMachine& one : sources_.topologies.named()) {
      if (one.family != family) continue;
      for (const Size size : kSizes) {
        Drawn drawn{one.machine, family, graph_hash(one.machine), 2};
        auto item = finish(drawn, size);
        if (!item) continue;
        item->slice = "named";
        item->source = "adapted";
        item->tags.push_back(one.name);
        cases_.push_back(*std::move(item));
        ++made;
      }
    }
    return made;
  }

  Case make_one(const std::string& family, std::size_t index) {
    for (int tries = 0; tries < kTries * 10; ++tries) {
      // After a while any size will do: a full mesh is never bad where bandwidth counts.
      const Size size = kSizes[(index + (tries < kTries ? 0 : rng_.below(3))) % 3];
      const auto drawn = draw(family);
      if (!drawn) continue;
      auto item = finish(*drawn, size);
      if (!item) continue;
      item->slice = split_ == Split::kTest ? "new-graph" : name_of(split_);
      item->source = "generated";
      return *std::move(item);
    }
    fail(ErrorCode::kInvalidData, "families.json: family '{}' gives no more cases for {}", family,
         name_of(split_));
  }

  std::optional<Drawn> draw(const std::string& family) {
    Drawn drawn{sources_.topologies.draw(family, split_, rng_), family, "", 1};
    const auto& chunks = sources_.topologies.chunks();
    drawn.chunks = chunks[rng_.below(chunks.size())];
    if (drawn.machine.gpus() * drawn.chunks > kMostChunks) return std::nullopt;
    drawn.hash = graph_hash(drawn.machine);
    if (split_of(drawn.hash) != split_ || named_hashes_.contains(drawn.hash)) return std::nullopt;
    return drawn;
  }

  // Bytes of a chunk that make the bound what `size` says; absent if none do.
  std::optional<std::int64_t> bytes_for(const Drawn& drawn, Size size) {
    std::vector<std::int64_t> fitting;
    const CostModel least(drawn.machine, drawn.chunks, 1, drawn.hash);
    const auto floor = plan::lower_bound(least);
    if (!floor) return std::nullopt;
    for (std::int64_t bytes = 512; bytes * drawn.chunks <= kMostBytes; bytes *= 2) {
      if (bytes * drawn.chunks < kLeastBytes) continue;
      const std::int64_t bound = plan::lower_bound({drawn.machine, drawn.chunks, bytes, drawn.hash})->ps;
      const double alpha = static_cast<double>(floor->ps) / static_cast<double>(bound);
      const Size found = alpha > 0.6 ? Size::kLatency : alpha < 0.2 ? Size::kBandwidth : Size::kMixed;
      if (found == size) fitting.push_back(bytes);
    }
    if (fitting.empty()) return std::nullopt;
    return fitting[rng_.below(fitting.size())];
  }

  std::optional<Case> finish(const Drawn& drawn, Size size) {
    const auto bytes = bytes_for(drawn, size);
    if (!bytes || !seen_.insert(fmt::format("{}|{}|{}", drawn.hash, drawn.chunks, *bytes)).second)
      return std::nullopt;
    const CostModel model(drawn.machine, drawn.chunks, *bytes, drawn.hash);
    const std::int64_t bound = plan::lower_bound(model)->ps;
    const std::vector<Solution> all = baselines(model);
    if (all.empty() || 5 * all.front().latency_ps <= 6 * bound) return std::nullopt;
    Case item(drawn.machine);
    item.group = drawn.family;
    item.combo = fmt::format("{}|{}|{}", drawn.hash, drawn.machine.gpus(), drawn.chunks);
    item.tags = {tag_of(size)};
    item.chunks = drawn.chunks;
    item.chunk_bytes = *bytes;
    item.initial = all.front();
    item.bound_ps = bound;
    const Solution best = search(model, all, split_ == Split::kTuning ? kTuningEffort : kEffort, rng_);
    item.direct_ps = direct_ps(all);
    item.difficulty = difficulty_of(item.direct_ps, best.latency_ps);
    const bool good =
        split_ == Split::kTuning ? choose_lesson(item, all, best) : choose_best(item, all, best);
    if (!good) return std::nullopt;
    return item;
  }

  static std::string found_by(const std::vector<Solution>& all, const Solution& best) {
    for (const Solution& one : all) {
      if (one.latency_ps == best.latency_ps) return name_of(one.recipe);
    }
    return name_of(best.recipe) + "+search";
  }

  static bool choose_best(Case& item, const std::vector<Solution>& all, const Solution& best) {
    item.best = best;
    item.best_by = found_by(all, best);
    return leaves_enough(item.initial, best);
  }

  // What a tuning item teaches: half of them the best of two other plans, half the search's.
  bool choose_lesson(Case& item, const std::vector<Solution>& all, const Solution& best) {
    const bool improves = rng_.below(kTuningCases) >= kGenerateItems;
    item.kind = improves ? "improve" : "generate";
    Solution slower = item.initial;
    if (improves) slower = all[rng_.below(all.size())];
    item.best = best;
    if (all.size() > 2 && rng_.below(2) == 0) {
      const Solution& a = all[1 + rng_.below(all.size() - 1)];
      const Solution& b = all[1 + rng_.below(all.size() - 1)];
      item.best = a.latency_ps <= b.latency_ps ? a : b;
    }
    item.best_by = found_by(all, item.best);
    if (improves) item.first = slower;
    return 20 * slower.latency_ps >= 21 * item.best.latency_ps;
  }

  // Exactly as many items of each kind as there should be: what is over changes its kind where it can.
  void name_kinds() {
    std::size_t generate = 0;
    for (const Case& item : cases_) generate += item.kind == "generate" ? 1 : 0;
    for (Case& item : cases_) {
      if (generate > kGenerateItems && item.kind == "generate") {
        item.kind = "improve";
        item.first = item.initial;
        --generate;
      } else if (generate < kGenerateItems && item.kind == "improve" &&
                 20 * item.initial.latency_ps >= 21 * item.best.latency_ps) {
        item.kind = "generate";
        item.first.reset();
        ++generate;
      }
    }
  }

  // The last search, on the plan itself. Each case has its own random numbers, so that they can be made at
  // the same time. Not in the tuning split, whose answers are programs without constants.
  void move_all() {
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
      for (std::size_t i = next++; i < cases_.size(); i = next++) move(cases_[i]);
    };
    std::vector<std::jthread> threads;
    for (unsigned i = 1; i < std::thread::hardware_concurrency(); ++i) threads.emplace_back(work);
    work();
  }

  void move(Case& item) const {
    const CostModel model(item.machine, item.chunks, item.chunk_bytes, item.combo);
    Rng rng(fmt::format("{}/moves/{}|{}", stream_, item.combo, item.chunk_bytes));
    const Solution better = moved(model, item.best, rng);
    if (better.latency_ps >= item.best.latency_ps) return;
    item.best = better;
    item.best_by += "+moves";
    item.difficulty = difficulty_of(item.direct_ps, better.latency_ps);
  }

  // The first look at the suite should be quick: its first cases are of small machines, one a family.
  void small_ones_first() {
    constexpr std::size_t kFirst = 4;
    constexpr int kSmall = 4;
    std::set<std::string> families;
    for (std::size_t i = 0; i < cases_.size() && families.size() < kFirst; ++i) {
      if (cases_[i].machine.gpus() > kSmall || !families.insert(cases_[i].group).second) continue;
      std::swap(cases_[families.size() - 1], cases_[i]);
    }
  }

  void number() {
    std::map<std::string, int> last;
    for (Case& item : cases_) {
      item.id = fmt::format("optiflow-{}-{}-{:04}", name_of(split_), item.group, ++last[item.group]);
    }
  }

  static constexpr std::size_t kTuningCases = 8'000;

  const Sources& sources_;
  Split split_;
  std::string stream_;
  Rng rng_;
  std::set<std::string> named_hashes_, seen_;
  std::vector<Case> cases_;
};

}  // namespace

Sources read_sources(const fs::path& suite) {
  const fs::path folder = suite / "optiflow";
  return {Topologies(folder / "families.json"), std::make_shared<OptiflowPrograms>(folder / "baselines"),
          canary_of(suite)};
}

std::size_t split_size(Split split) {
  switch (split) {
    case Split::kTest:
      return 1'280;
    case Split::kDev:
      return 40;
    case Split::kTuning:
      return 8'000;
    case Split::kRobust:
      return 200;
  }
  return 0;
}

std::vector<Case> make_split(const Sources& sources, Split split, const std::string& stream) {
  const bool named = split == Split::kTest && stream == "aimicius-1";
  return Maker(sources, split, stream).run(named);
}

std::vector<Case> make_robust(const std::vector<Case>& test) {
  Rng rng("aimicius-1/optiflow/robust/numbers");
  std::vector<std::size_t> chosen(test.size());
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  rng.shuffle(chosen);
  chosen.resize(std::min(chosen.size(), split_size(Split::kRobust)));
  std::sort(chosen.begin(), chosen.end());
  std::map<std::string, int> last;
  std::vector<Case> cases;
  for (const std::size_t i : chosen) {
    Case item = test[i];
    std::vector<int> numbers(static_cast<std::size_t>(item.machine.gpus()));
    std::iota(numbers.begin(), numbers.end(), 0);
    item.of = item.id;
    item.id = fmt::format("optiflow-robust-{}-{:04}", item.group, ++last[item.group]);
    item.slice = name_of(Split::kRobust);
    do {  // that of the test case leaves enough, so this ends
      rng.shuffle(numbers);
      item.machine = renumbered(test[i].machine, numbers);
      item.initial = baselines(CostModel(item.machine, item.chunks, item.chunk_bytes, item.id)).front();
    } while (!leaves_enough(item.initial, item.best));
    item.best.recipe.numbers = numbers;
    cases.push_back(std::move(item));
  }
  return cases;
}

std::string line_of(const Case& item, const Sources& sources) {
  const bool is_short = !item.kind.empty() || !item.of.empty();
  const Json machine = item.machine.to_json();
  const auto program = [&](const Solution& solution) {
    Json recipe = json_of(solution.recipe);
    return is_short ? recipe : Json(sources.programs->program(recipe, machine, item.chunks, item.id));
  };
  Json json = {{"id", item.id},          {"group", item.group},
               {"slice", item.slice},    {"difficulty", item.difficulty},
               {"source", item.source},  {"family", item.group},
               {"combo", item.combo},    {"tags", item.tags},
               {"licence", "CC-BY-4.0"}, {"canary", sources.canary}};
  if (!item.kind.empty()) json["kind"] = item.kind;
  if (!item.of.empty()) json["of"] = item.of;
  json["machine"] = is_short ? short_machine(machine) : machine;
  json["gpu_count"] = item.machine.gpus();
  json["chunks_per_gpu"] = item.chunks;
  json["bytes_per_gpu"] = item.chunk_bytes * item.chunks;
  json["initial"] = program(item.initial);
  json["initial_ps"] = item.initial.latency_ps;
  if (item.first) {
    json["first"] = program(*item.first);
    json["first_ps"] = item.first->latency_ps;
  }
  json["best"] = program(item.best);
  json["bound_ps"] = item.bound_ps;
  json["best_ps"] = item.best.latency_ps;
  json["best_by"] = item.best_by;
  return dump_json(json) + "\n";
}

}  // namespace micius::aimicius::optiflow
