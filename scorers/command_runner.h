// Runs one command line on an emulated GPU host (AIMicius 2.5).
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/services.h"
#include "emu/run.h"
#include "scorers/effect.h"
#include "scorers/shell_reader.h"

namespace micius {

struct Machine {
  std::string profile = "h100x8";
  std::string fixture = "default";  // what lies in the start folder
};

// Safe to call from several threads.
class CommandRunner {
 public:
  // `folder`: datasets/aimicius/cmdgen. `fixture_programs`: paths below the start folder that are emulated
  // programs ("build/all_reduce_perf"). `services` may be null. Both outlive this object, as the catalog
  // does.
  CommandRunner(const emu::Catalog& catalog, std::filesystem::path folder,
                std::vector<std::string> fixture_programs, Services* services);

  // In this process where `here` can, else in the sandbox; absent where there is none, and then `why_not`.
  std::optional<Effect> run(std::string_view command, const Machine& machine, std::string& why_not) const;

  // The effect without a sandbox: emulated programs with plain words and redirections, joined by ; && ||.
  // Absent for anything else, and for more calls than a sandbox answers or more than five seconds of them.
  std::optional<Effect> here(std::string_view command, const Machine& machine) const;
  // The effect in a sandbox, however simple the command. What a model wrote is data; throws Error{kIo} only
  // where the sandbox itself failed.
  Effect inside(std::string_view command, const Machine& machine, Sandbox& sandbox) const;

  // run(), kept: the same command and machine are run once, as long as they are among the last few thousand.
  std::optional<Effect> remembered(const std::string& command, const Machine& machine,
                                   std::string& why_not) const;

 private:
  const std::vector<ExecFile>& fixture(const std::string& name) const;
  void add_files(const std::string& name, std::vector<ExecFile>& files) const;

  const emu::Catalog& catalog_;
  const std::filesystem::path folder_;
  const std::vector<std::string> fixture_programs_;
  Services* services_;

  mutable std::mutex mutex_;
  mutable std::map<std::string, std::vector<ExecFile>> fixtures_;
  mutable std::map<std::string, Effect> effects_;  // by profile, fixture and command
  mutable std::size_t bytes_ = 0;                  // of all texts in effects_
};

}  // namespace micius
