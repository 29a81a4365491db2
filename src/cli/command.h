// What a verb of the command line is.
#pragma once

#include <memory>
#include <string>
#include <vector>

namespace micius {

class Flags;

// kFailed: ran, but samples failed for good or the run was stopped. kUndecided: a comparison cannot decide.
enum class ExitCode { kGood = 0, kFailed = 1, kCannotRun = 2, kUndecided = 3, kInterrupted = 130 };

// One verb. `define` declares its flags, bound to members of the object, which outlives the parse;
// `run` does the work, with the result on stdout and all else on stderr, and throws Error for what cannot be
// done.
class Command {
 public:
  virtual ~Command() = default;
  virtual std::string name() const = 0;
  virtual std::string summary() const = 0;
  virtual void define(Flags& flags) = 0;
  virtual ExitCode run() = 0;
};

// Every verb, in the order of `micius --help`.
std::vector<std::unique_ptr<Command>> all_commands();

}  // namespace micius
