// Makes the cases of Optiflow. Deterministic: the same families and programs give the same cases.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optiflow_recipe.h"
#include "optiflow_search.h"
#include "optiflow_topology.h"
#include "phrasings.h"
#include "tasks/optiflow_case.h"

namespace micius::aimicius::optiflow {

struct Case {
  explicit Case(plan::Machine its) : machine(std::move(its)) {}

  std::string id, group, slice, source, combo;
  std::string of;    // robust: the test case whose GPUs have other numbers here
  std::string kind;  // tuning: "generate" or "improve"; else ""
  int difficulty = 1;
  std::vector<std::string> tags;
  plan::Machine machine;
  int chunks = 1;
  std::int64_t chunk_bytes = 0;
  Solution initial, best;
  std::optional<Solution> first;  // "improve": the first answer, with its latency; `best` is the second
  std::string best_by;
  std::int64_t bound_ps = 0;
  std::optional<std::int64_t> direct_ps;  // of direct sends, where they are possible
};

using Splits = std::map<Split, std::vector<Case>>;

struct Sources {
  Topologies topologies;
  std::shared_ptr<OptiflowPrograms> programs;  // shared: what a once_flag is in cannot be moved
  std::string canary;
};

// Reads families.json and baselines/ of the suite's folder.
Sources read_sources(const std::filesystem::path& suite);

std::size_t split_size(Split split);  // test 1,280, dev 40, tuning 8,000, robust 200

// One split. The graphs of two splits differ, by their hashes; published machines are the test's. A case is
// dropped where its first plan is within a fifth of the best that we know. `stream` is the first part of
// every random stream's name; a twin has another, and no published machines. Deterministic, on all cores.
std::vector<Case> make_split(const Sources& sources, Split split, const std::string& stream = "aimicius-1");

// 200 of the test cases with their GPUs numbered at random: the best plan and the bound take as long as
// before.
std::vector<Case> make_robust(const std::vector<Case>& test);

// One line of a split's file: programs and matrices as text, in tuning and robust in their short form.
std::string line_of(const Case& item, const Sources& sources);

}  // namespace micius::aimicius::optiflow
