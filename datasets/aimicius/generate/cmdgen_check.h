// Does a case tell right from wrong? Runs its reference and its siblings on the emulated host.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scorers/cmdgen.h"

namespace micius::aimicius {

// A command near another one.
struct Sibling {
  std::string command;
  bool may_be_right = false;  // an option with its value is left out: right where the value is the default
};

// What a wrong answer may look like: the command with one option left out, with one value changed, and
// `others`, different commands of the platform.
std::vector<Sibling> siblings_of(const std::string& command, const std::vector<std::string>& others);

class CaseChecker {
 public:
  // Reads the data of `folder` (datasets/aimicius/cmdgen). Needs no sandbox: a case whose reference needs one
  // is not made by the generator.
  explicit CaseChecker(const std::filesystem::path& folder) : judge_(folder, nullptr, {}) {}

  const CommandJudge& judge() const { return judge_; }

  // What the reference does if it leaves something to compare (an error's text, where it fails), ends without
  // a limit in the way, and differs strictly from at least three siblings and from each that runs and may not
  // be right; else absent, with the reason. A reference that fails may do so before it reads all its options:
  // a sibling with the same error makes it soft.
  struct Ending {
    int exit = 0;
    bool soft = false;
  };
  std::optional<Ending> ending_of(const CommandCase& item, const std::vector<std::string>& others,
                                  std::string& why_not) const;

  // Has the command the reference's effect?
  bool same_effect(const CommandCase& item, const std::string& command) const;

 private:
  CommandJudge judge_;
};

}  // namespace micius::aimicius
