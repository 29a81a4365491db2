// The machines of Optiflow's cases: published ones, and random ones of ten families.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/rng.h"
#include "phrasings.h"
#include "plan/machine.h"

namespace micius::aimicius::optiflow {

struct NamedMachine {
  std::string name, family;
  plan::Machine machine;
};

class Topologies {
 public:
  // Reads families.json. Throws Error{kInvalidData} naming the file and the field.
  explicit Topologies(const std::filesystem::path& path);

  const std::vector<NamedMachine>& named() const { return named_; }
  std::vector<std::string> families() const;
  double share(const std::string& family) const;  // of the test, in percent
  const std::vector<int>& chunks() const { return chunks_; }

  // A random machine of the family; not always one whose GPUs can all be reached. The tuning split's may be
  // larger.
  plan::Machine draw(const std::string& family, Split split, Rng& rng) const;

 private:
  const Json& family(const std::string& name) const;
  const plan::Machine& named(const std::string& name) const;

  Json families_;
  std::vector<NamedMachine> named_;
  std::vector<int> chunks_;
};

// Equal for machines that differ in the numbering of their nodes alone, with latencies rounded to 0.1 us and
// bandwidths to two digits: colour refinement (Weisfeiler and Leman, 1968), then the sorted colours. 16
// digits.
std::string graph_hash(const plan::Machine& machine);

}  // namespace micius::aimicius::optiflow
