// Makes the cases of CMDGen: what is asked, how, on which machine. Deterministic: the same sources and the
// same emulator give the same cases.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cmdgen_check.h"
#include "cmdgen_draw.h"
#include "suite.h"

namespace micius::aimicius {

struct CommandItem {
  std::string id, group, slice, source, family, combo, platform, tool, profile, request, reference, of;
  int difficulty = 1, expect_exit = 0;
  std::vector<std::string> tags, accepted, compare;
  Json spans;
};

using CommandSplits = std::map<Split, std::vector<CommandItem>>;

// How many test cases a group of a platform has; the other splits have their share of it.
struct CommandQuota {
  const char* platform;
  const char* group;
  std::size_t test;
};

// Throws Error{kInvalidData} where the sources cannot fill a quota or a case breaks a rule.
CommandSplits make_commands(const CommandSources& sources, const CaseChecker& checker,
                            const std::string& stream);

// A request: 5 to 60 words, no option in it but for variables, each span in it. Nothing of the test in the
// tuning data: no combo, no normal form, no request, no phrasing family. Few soft cases (CaseChecker).
void lint_commands(const CommandSplits& splits, const CaseChecker& checker);

// What the leak check compares, counted: (name, how many of the test occur in the tuning data).
std::vector<std::pair<std::string, std::size_t>> leaks(const CommandSplits& splits,
                                                       const CaseChecker& checker);

}  // namespace micius::aimicius
