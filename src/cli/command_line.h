// The words of a command line, read into the flags of the command that they name.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"

namespace CLI {
class App;
}

namespace micius {

struct CommandRequest {
  Command* command = nullptr;  // with its flags set; null where --help or --version was asked for
  std::string text;            // which is then this
};

class CommandLine {
 public:
  // Declares the flags of all `commands`, which must outlive it.
  explicit CommandLine(const std::vector<std::unique_ptr<Command>>& commands);
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // What `words`, without the program's name, ask for, with what the file of a --config has besides. To be
  // called once. Throws Error{kUsage}, "micius run: unknown flag '--modle' (did you mean '--model'?); see
  // `micius run --help`", which names the file instead where the flag comes from it.
  CommandRequest parse(const std::vector<std::string>& words);

 private:
  const std::vector<std::unique_ptr<Command>>& commands_;
  std::unique_ptr<CLI::App> app_;
};

}  // namespace micius
