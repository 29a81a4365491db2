#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/environment.h"

namespace micius {
namespace {

int report_error(const std::string& message, ExitCode code) {
  fmt::print(stderr, "micius: {}\n", message);
  return static_cast<int>(code);
}

ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kStopped:
      return ExitCode::kFailed;
    case ErrorCode::kUndecided:
      return ExitCode::kUndecided;
    default:
      return ExitCode::kCannotRun;
  }
}

// The command that was being parsed: the deepest one named.
const CLI::App& parsed_app(const CLI::App& app) {
  const auto subcommands = app.get_subcommands();
  return subcommands.empty() ? app : parsed_app(*subcommands.front());
}

std::string full_name(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : full_name(*app.get_parent()) + " " + app.get_name();
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

std::vector<std::string> commands_of(const CLI::App& command) {
  std::vector<std::string> names;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
  }
  return names;
}

// "unknown flag '--modle' (did you mean '--model'?)" for the first word that no command expected, or "".
std::string unexpected_word(const CLI::App& app, const ExpandedArguments& given) {
  const std::vector<std::string> extras = app.remaining(true);
  if (extras.empty()) return "";
  const CLI::App& command = parsed_app(app);
  const std::string path = full_name(command);
  if (extras.front().starts_with("-")) {
    const std::string flag = extras.front().substr(0, extras.front().find('='));
    const bool from_file = std::find(given.flags.begin(), given.flags.end(), flag) != given.flags.end();
    return fmt::format("{}: unknown flag '{}'{}; see `{} --help`", from_file ? given.config : path, flag,
                       did_you_mean(flag, flags_of(command)), path);
  }
  const std::vector<std::string> subcommands = commands_of(command);
  return fmt::format("{}: {} '{}'{}; see `{} --help`", path,
                     subcommands.empty() ? "unexpected argument" : "unknown command", extras.front(),
                     did_you_mean(extras.front(), subcommands), path);
}

int run_program(int argc, char** argv) {
  CLI::App app("System-domain evaluation of language models", "micius");
  app.set_version_flag("--version", "micius " + version_text());
  app.require_subcommand(1);
  app.allow_extras();
  const auto commands = all_commands();
  for (const auto& command : commands) {
    command->define(*app.add_subcommand(command->name(), command->summary()));
  }
  const ExpandedArguments given = expand_config_file({argv + 1, argv + argc});
  try {
    std::vector<std::string> words = given.arguments;
    std::reverse(words.begin(), words.end());  // as CLI11 takes them
    app.parse(words);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    const std::string unexpected = unexpected_word(app, given);
    return report_error(
        unexpected.empty() ? fmt::format("{}; see `micius --help`", error.what()) : unexpected,
        ExitCode::kCannotRun);
  }
  if (const std::string unexpected = unexpected_word(app, given); !unexpected.empty()) {
    return report_error(unexpected, ExitCode::kCannotRun);
  }
  for (const auto& command : commands) {
    if (!app.got_subcommand(command->name())) continue;
    const ExitCode code = command->run();
    if (std::fflush(stdout) != 0 || !std::cout.flush())
      fail(ErrorCode::kIo, "stdout: {}", std::strerror(errno));
    return static_cast<int>(code);
  }
  return static_cast<int>(ExitCode::kCannotRun);
}

}  // namespace
}  // namespace micius

int main(int argc, char** argv) {
  try {
    return micius::run_program(argc, argv);
  } catch (const micius::Error& error) {
    return micius::report_error(error.what(), micius::exit_code_of(error.code()));
  } catch (const std::exception& error) {
    return micius::report_error(fmt::format("internal error: {}", error.what()),
                                micius::ExitCode::kCannotRun);
  }
}
