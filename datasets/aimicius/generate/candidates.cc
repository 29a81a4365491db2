#include "candidates.h"

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>

#include "scorers/record_search.h"

namespace micius::aimicius {
namespace {

// What a record is to the case.
struct Role {
  bool usable = false;                    // may stand in it
  bool target = false, baseline = false;  // has that design; an empty target is had by all
  bool workload = false;                  // has the workload, which all have where none is named
  bool family = false;                    // is of the workload's family

  bool design() const { return target || baseline; }
  bool fits() const { return design() && workload; }
};

using Filter = std::function<bool(const Role&)>;

class Drawing {
 public:
  Drawing(const Pool& pool, const Vocabulary& vocabulary, const Dcw& dcw, Uses& uses, Rng& rng)
      : pool_(pool), uses_(uses), rng_(rng), family_(vocabulary.family(dcw.workload)) {
    std::set<std::string> vm_gpus;
    for (const std::string* name : {&dcw.target, &dcw.baseline}) {
      if (!name->empty() && vocabulary.design(*name).is_vm) vm_gpus.insert(vocabulary.design(*name).gpu);
    }
    std::vector<int> ambiguous(pool.workload_ids(), -1);
    for (const PoolRecord& record : pool.records()) {
      int& known = ambiguous[record.workload_id];
      if (known < 0) known = vocabulary.ambiguous(record.workload, dcw.workload) ? 1 : 0;
      Role& role = roles_.emplace_back();
      role.usable = record.usable && known == 0 && !(record.unclear_vm && has_one_of(record, vm_gpus));
      role.target = dcw.target.empty() || record.designs.contains(dcw.target);
      role.baseline = !dcw.baseline.empty() && record.designs.contains(dcw.baseline);
      role.workload = dcw.workload == "default" || record.workload == dcw.workload;
      role.family = !family_.empty() && record.family == family_;
    }
  }

  // Picks up to `n` more records that pass; a workload first, then a record of it, so that no suite rules.
  std::size_t pick(std::size_t n, const Filter& passes) {
    if (n == 0) return 0;
    std::vector<std::vector<std::size_t>> groups(pool_.workload_ids());
    for (std::size_t i = 0; i < roles_.size(); ++i) {
      if (roles_[i].usable && passes(roles_[i])) groups[pool_.records()[i].workload_id].push_back(i);
    }
    std::erase_if(groups, [](const auto& group) { return group.empty(); });
    std::size_t picked = 0;
    while (picked < n && !groups.empty()) {
      const std::size_t at = rng_.below(groups.size());
      if (add(take_least_used(groups[at]))) ++picked;
      if (groups[at].empty()) groups.erase(groups.begin() + static_cast<std::ptrdiff_t>(at));
    }
    return picked;
  }

  std::size_t size() const { return chosen_.size(); }

  Candidates finish() {
    rng_.shuffle(chosen_);
    Candidates result;
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
      const Role& role = roles_[chosen_[i]];
      ++uses_[chosen_[i]];
      Json shown = shown_record(pool_.records()[chosen_[i]].source);
      shown["index"] = i;
      result.shown.push_back(std::move(shown));
      if (role.fits()) {
        result.matches.push_back(i);
        continue;
      }
      result.traps[std::to_string(i)] = role.design() ? "workload" : role.workload ? "design" : "both";
      if (role.design() && role.family) ++result.near_traps;
    }
    return result;
  }

 private:
  // Where a VM is asked for, a record of its GPU whose sku does not say which machine it is stays out.
  static bool has_one_of(const PoolRecord& record, const std::set<std::string>& gpus) {
    return std::any_of(gpus.begin(), gpus.end(),
                       [&](const std::string& gpu) { return record.designs.contains(gpu); });
  }

  std::size_t take_least_used(std::vector<std::size_t>& group) {
    std::size_t best = rng_.below(group.size());
    for (int tries = 0; tries < 8; ++tries) {
      const std::size_t other = rng_.below(group.size());
      if (uses_[group[other]] < uses_[group[best]]) best = other;
    }
    const std::size_t index = group[best];
    group.erase(group.begin() + static_cast<std::ptrdiff_t>(best));
    return index;
  }

  bool add(std::size_t index) {
    if (!looks_.insert(dump_json(shown_record(pool_.records()[index].source))).second) return false;
    chosen_.push_back(index);
    return true;
  }

  const Pool& pool_;
  Uses& uses_;
  Rng& rng_;
  std::string family_;
  std::vector<Role> roles_;  // of each record of the pool
  std::vector<std::size_t> chosen_;
  std::set<std::string> looks_;  // of the chosen
};

// The records that fit; with a baseline one of each side comes first.
bool pick_matches(Drawing& drawing, const Dcw& dcw, std::size_t matching) {
  if (matching == 0) return true;
  if (!dcw.baseline.empty()) {
    const bool both = matching >= 2 &&
                      drawing.pick(1, [](const Role& r) { return r.workload && r.target; }) == 1 &&
                      drawing.pick(1, [](const Role& r) { return r.workload && r.baseline; }) == 1;
    if (!both) return false;
  }
  drawing.pick(matching - drawing.size(), [](const Role& r) { return r.fits(); });
  return drawing.size() == matching;
}

}  // namespace

std::optional<Candidates> draw_candidates(const Pool& pool, const Vocabulary& vocabulary, const Dcw& dcw,
                                          const Wanted& wanted, Uses& uses, Rng& rng) {
  constexpr std::size_t kOfDesign = 2, kOfWorkload = 2, kSiblings = 1;
  Drawing drawing(pool, vocabulary, dcw, uses, rng);
  if (!pick_matches(drawing, dcw, wanted.matching)) return std::nullopt;
  const auto sibling = [](const Role& r) { return r.family && !r.workload; };
  if (drawing.pick(kSiblings, [&](const Role& r) { return sibling(r) && r.design(); }) == 0) {
    drawing.pick(kSiblings, sibling);
  }
  drawing.pick(kOfDesign, [](const Role& r) { return r.design() && !r.workload; });
  drawing.pick(kOfWorkload, [](const Role& r) { return r.workload && !r.design(); });
  // Up to half of the rest is near, so that a case is not solved by one attribute alone.
  const std::size_t rest = wanted.size - std::min(wanted.size, drawing.size());
  drawing.pick(rng.below(rest / 2 + 1), [](const Role& r) { return !r.fits() && (r.design() || r.family); });
  drawing.pick(wanted.size - std::min(wanted.size, drawing.size()), [](const Role& r) { return !r.fits(); });
  if (drawing.size() != wanted.size) return std::nullopt;
  return drawing.finish();
}

}  // namespace micius::aimicius
