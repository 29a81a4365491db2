#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "cli/command.h"
#include "cli/config_file.h"

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

// "unknown flag '--modle' (did you mean '--model'?)" for what CLI11 did not expect.
std::string unexpected_argument(const CLI::App& app) {
  const std::vector<std::string> extras = app.remaining(true);
  if (extras.empty()) return "";
  const CLI::App& command = parsed_app(app);
  const std::string& word = extras.front();
  const bool is_flag = word.rfind("-", 0) == 0;
  std::vector<std::string> names;
  if (is_flag) {
    for (const CLI::Option* option : command.get_options()) {
      for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
  } else {
    for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; })) {
      names.push_back(sub->get_name());
    }
  }
  const std::string flag = is_flag ? word.substr(0, word.find('=')) : word;
  const bool is_command = !is_flag && !names.empty();
  const std::string path = full_name(command);
  return fmt::format("{}: {} '{}'{}; see `{} --help`", path,
                     is_flag      ? "unknown flag"
                     : is_command ? "unknown command"
                                  : "unexpected argument",
                     flag, did_you_mean(flag, names), path);
}

int run_program(int argc, char** argv) {
  CLI::App app("System-domain evaluation of language models", "micius");
  app.set_version_flag("--version", "micius " MICIUS_VERSION);
  app.require_subcommand(1);
  app.allow_extras();
  const auto commands = all_commands();
  for (const auto& command : commands) {
    CLI::App* sub = app.add_subcommand(command->name(), command->summary());
    command->define(*sub);
  }
  try {
    std::vector<std::string> arguments = expand_config_file({argv + 1, argv + argc});
    std::reverse(arguments.begin(), arguments.end());
    app.parse(arguments);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    const std::string unexpected = unexpected_argument(app);
    return report_error(
        unexpected.empty() ? fmt::format("{}; see `micius --help`", error.what()) : unexpected,
        ExitCode::kCannotRun);
  }
  if (const std::string unexpected = unexpected_argument(app); !unexpected.empty()) {
    return report_error(unexpected, ExitCode::kCannotRun);
  }
  for (const auto& command : commands) {
    if (app.got_subcommand(command->name())) return static_cast<int>(command->run());
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
