#include "combos.h"

#include "base/hash.h"

namespace micius::aimicius {
namespace {

int first_byte(const std::string& text) {
  return static_cast<int>(Sha256().update("aimicius-1/infrawise/" + text).digest()[0]);
}

constexpr int kTestShare = 154;    // of 256: which (design, workload, criterion) are the test's
constexpr int kDevShare = 26;      // of the other combinations: dev
constexpr int kHeldOutShare = 26;  // of the workloads: never in the tuning data

// Criteria that somebody would name for a workload of this kind.
bool makes_sense(const std::string& criterion, const std::string& kind) {
  if (criterion == "default" || criterion == "peak performance") return true;
  if (kind == "training" || kind == "inference") return true;
  return kind == "math" && criterion.rfind("performance in", 0) != 0;
}

// Does the library that the workload belongs to run on the design's GPU at all?
bool runs_there(const Workload& workload, const Design& design) {
  const bool amd = design.gpu.rfind("MI", 0) == 0;
  if (workload.name.rfind("NCCL", 0) == 0 || workload.name.rfind("cuBLAS", 0) == 0) return !amd;
  return workload.name.rfind("RCCL", 0) != 0 || amd;
}

}  // namespace

std::string group_of(const Dcw& dcw, const Vocabulary& vocabulary) {
  if (dcw.target.empty() || dcw.workload == "default") return "vague";
  if (!dcw.baseline.empty()) return "compare";
  if (dcw.criterion != "default") return "criterion";
  return vocabulary.design(dcw.target).is_vm ? "sku" : "single";
}

Combos::Combos(const Vocabulary& vocabulary, const Pool& pool, const std::set<std::string>& taken)
    : vocabulary_(vocabulary), taken_(taken) {
  // Names without any record would give a None away; only curated questions use them.
  std::vector<const Design*> designs;
  for (const Design& design : vocabulary.designs()) {
    if (pool.count(design.name, "default") > 0) designs.push_back(&design);
  }
  std::vector<const Workload*> workloads;
  for (const Workload& workload : vocabulary.workloads()) {
    if (pool.count("", workload.name) > 0 && workload.name != "default") workloads.push_back(&workload);
  }
  for (const Workload* workload : workloads) {
    add({"", "", "default", workload->name});
    for (const Criterion& criterion : vocabulary.criteria()) {
      if (!makes_sense(criterion.name, workload->kind)) continue;
      for (const Design* target : designs) {
        if (!runs_there(*workload, *target)) continue;
        add({target->name, "", criterion.name, workload->name});
        for (const Design* baseline : designs) {
          if (baseline == target || baseline->is_vm != target->is_vm) continue;
          if (pool.count(target->name, workload->name) == 0 ||
              pool.count(baseline->name, workload->name) == 0)
            continue;
          add({target->name, baseline->name, criterion.name, workload->name});
        }
      }
    }
  }
  for (const Design* target : designs) {
    add({target->name, "", "default", "default"});
    for (const Design* baseline : designs) {
      if (baseline != target && baseline->is_vm == target->is_vm) {
        add({target->name, baseline->name, "default", "default"});
      }
    }
  }
}

const std::vector<Dcw>& Combos::of(Split split, const std::string& group) const {
  return combos_.at({split, group});
}

bool Combos::held_out(const std::string& workload) const {
  return workload != "default" && first_byte("option/" + workload) < kHeldOutShare;
}

Combos::Side Combos::side(const std::string& design, const std::string& workload,
                          const std::string& criterion) {
  const std::string triple = "triple/" + design + "|" + workload + "|" + criterion;
  const auto [it, is_new] = sides_.try_emplace(triple, Side::kTuning);
  if (is_new && (held_out(workload) || first_byte(triple) < kTestShare)) it->second = Side::kTest;
  return it->second;
}

void Combos::add(const Dcw& dcw) {
  const Side target = side(dcw.target, dcw.workload, dcw.criterion);
  if (!dcw.baseline.empty() && side(dcw.baseline, dcw.workload, dcw.criterion) != target) return;
  const std::string combo = dcw.combo();
  const bool taken = taken_.contains(combo);
  if (target == Side::kTuning && taken) return;
  Split split = Split::kTest;
  if (target == Side::kTuning) split = first_byte(combo) < kDevShare ? Split::kDev : Split::kTuning;
  combos_[{split, group_of(dcw, vocabulary_)}].push_back(dcw);
}

}  // namespace micius::aimicius
