// Judges CMDGen: one shell command, run on an emulated GPU host and compared with the reference's effect.
#pragma once

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "scorers/command_runner.h"
#include "scorers/effect.h"
#include "scorers/normal_form.h"
#include "scorers/registry.h"

namespace micius {

// What a command has to be compared with.
struct CommandCase {
  Machine machine;
  std::string reference;
  std::vector<std::string> accepted;  // other commands with the reference's effect
  Channels channels = {"exit", "stdout", "files", "state"};
};

// AIMicius 2.7: the parts, each 0 or 1 but for the three that an embedding gives.
struct CommandParts {
  // Absent without an embedder.
  std::optional<double> cmd_score, output_score, calibration;
  double alike() const { return std::max(cmd_score.value_or(0), output_score.value_or(0)); }
  bool exact_match = false, exact_raw = false, normal_match = false;
  bool success = false, strict_success = false;
  bool similar_only = false;  // success by the soft path: alike, not equal
  bool accuracy() const { return exact_match || success; }
  bool strict_accuracy() const { return normal_match || strict_success; }
};

// The data folder with all that judging a command needs. Safe to call from several threads.
class CommandJudge {
 public:
  struct Thresholds {
    double calibration = 0.9;  // of CMD and Output Score
    double similar = 0.95;     // of Output Score, for success by the soft path
  };

  // `folder`: datasets/aimicius/cmdgen. `services` may be null and outlives this object.
  CommandJudge(const std::filesystem::path& folder, Services* services, Thresholds thresholds);

  const emu::Catalog& catalog() const { return catalog_; }
  const NormalForms& normal_forms() const { return *normal_; }
  const CommandRunner& runner() const { return *runner_; }
  const EffectTexts& texts() const { return *texts_; }

  bool has_embedder() const;
  // {"calibration", "similar"}: the thresholds; "embedder": Embedder::identity(), where there is one.
  Json environment() const;
  CommandParts judge(const CommandCase& item, const std::string& command, const Effect& answer,
                     const Effect& reference) const;

 private:
  double output_score(const CommandCase& item, const Effect& answer, const Effect& reference,
                      Embedder& embedder) const;

  emu::Catalog catalog_;
  Services* services_;
  Thresholds thresholds_;
  std::unique_ptr<NormalForms> normal_;
  std::unique_ptr<EffectTexts> texts_;
  std::unique_ptr<CommandRunner> runner_;
};

// The case of a sample: extra holds "profile", "fixture", "compare"; targets are the reference and what is
// accepted.
CommandCase command_case(const Sample& sample);

// The parts in the order of the task's metrics.
std::vector<Value> values_of(const CommandParts& parts);

// Params: "calibration" and "similar", the thresholds above. observe() runs the command and the reference and
// leaves {"answer": effect, "reference": effect or null where it is the same}, or {"unscored": why}; score()
// reads only that. A command that could not be run for want of a sandbox is kUnscored; without an embedder
// the values that need one are left out and success is by equal text alone, which the reason says.
std::unique_ptr<Scorer> make_cmdgen_scorer(const Spec& spec, const ScorerContext& context);

}  // namespace micius
