// Does a case tell right from wrong? Runs its reference and its siblings on the emulated host.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cmdgen_siblings.h"
#include "scorers/cmdgen.h"

namespace micius::aimicius {

// How much of two texts is the same words: twice the shared ones, each as often as both have it, by all
// words.
double shared_words(const std::string& a, const std::string& b);

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
    // A sibling that may count as right by the soft path: nothing but a long output tells it from the
    // reference, and much of the two outputs is the same. Judged by words, so that the data does not hang on
    // a model; wider than what an embedding takes for alike. Empty: there is none.
    std::string alike;
  };
  std::optional<Ending> ending_of(const CommandCase& item, const Siblings& siblings,
                                  std::string& why_not) const;

  // Has the command the reference's effect?
  bool same_effect(const CommandCase& item, const std::string& command) const;

 private:
  bool may_be_alike(const CommandCase& item, const Effect& effect, const Effect& wanted) const;

  CommandJudge judge_;
};

}  // namespace micius::aimicius
