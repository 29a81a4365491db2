// The closed vocabulary of Infrawise and the rules that say which names a published record fits.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"

namespace micius::aimicius {

struct Design {
  std::string name;
  std::string gpu;  // its GPU class; the name itself for a GPU
  bool is_vm = false;
  std::vector<std::string> the, bare, many;  // how a question may say it: "the A100", "A100", "A100s"
};

struct Criterion {
  std::string name;
  std::vector<std::string> noun, per;  // "energy efficiency", "per watt"
  std::vector<std::string> cues;       // one of them is in every question that asks for it
};

struct Workload {
  std::string name;
  std::string kind;                // training, inference, collective, math, bandwidth; "" for `default`
  std::vector<std::string> noun;   // "BERT-Large training"
  std::vector<std::string> verbs;  // "train BERT-Large"; empty where nobody would say so
};

// A published record with the two hidden keys.
struct PoolRecord {
  Json source;                    // as published
  std::set<std::string> designs;  // every name that fits
  std::string workload, family;  // key and its family; a key that begins with ~ or is empty is no closed name
  std::size_t workload_id = 0;   // numbers the keys of a pool
  bool usable = true;            // false: one could argue about what it is, so it is never a candidate
  bool unclear_vm = false;       // its sku does not say which VM it is, if any
  std::string text(const char* key) const;  // a field of the source as text, "" if null
};

class Vocabulary {
 public:
  // Throws Error{kInvalidData} naming the file and the field.
  explicit Vocabulary(const std::filesystem::path& path);

  const std::vector<Design>& designs() const { return designs_; }
  const std::vector<Criterion>& criteria() const { return criteria_; }
  const std::vector<Workload>& workloads() const { return workloads_; }
  const Design& design(const std::string& name) const;
  const Criterion& criterion(const std::string& name) const;
  const Workload& workload(const std::string& name) const;
  std::string family(const std::string& workload) const;  // "" where no record has it

  PoolRecord classify(Json source) const;
  // May records of these two keys stand in one case?
  bool ambiguous(const std::string& a, const std::string& b) const;

 private:
  struct DesignRule {
    std::string design;
    std::vector<std::string> hardware;  // words of the hardware
    std::vector<std::string> sku;       // parts of the sku
  };
  struct WorkloadRule {
    std::string key, family, precision;
    std::vector<std::string> globs;
  };

  void read_names(const JsonFields& file);
  void read_rules(const JsonFields& file);

  std::vector<Design> designs_;
  std::vector<Criterion> criteria_;
  std::vector<Workload> workloads_;
  std::vector<DesignRule> design_rules_;
  std::vector<WorkloadRule> workload_rules_;
  std::vector<std::pair<std::string, std::string>> ambiguous_;
  std::vector<std::string> skip_hardware_, skip_sku_, unclear_skus_;
};

}  // namespace micius::aimicius
