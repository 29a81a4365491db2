#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/variable.h"
#include "cli/command.h"
#include "cli/config_file.h"
#include "cli/console.h"
#include "cli/environment.h"

namespace micius {
namespace {

int report_error(const std::string& message, ExitCode code) {
  fmt::print(stderr, "{}{}\n",
             message.starts_with("micius ") || message.starts_with("micius:") ? "" : "micius: ",
             visible_text(without_passwords(message)));
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
std::string unexpected_word(const CLI::App& app, const ConfigArguments& config) {
  const std::vector<std::string> extras = app.remaining(true);
  if (extras.empty()) return "";
  const CLI::App& command = parsed_app(app);
  const std::string path = full_name(command);
  if (extras.front().starts_with("-")) {
    const auto with_value = read_variable(extras.front());
    const std::string flag(with_value ? with_value->name : extras.front());
    const bool from_file = std::find(config.flags.begin(), config.flags.end(), flag) != config.flags.end();
    return fmt::format("{}: unknown flag '{}'{}; see `{} --help`", from_file ? config.path : path, flag,
                       did_you_mean(flag, flags_of(command)), path);
  }
  const std::vector<std::string> subcommands = commands_of(command);
  return fmt::format("{}: {} '{}'{}; see `{} --help`", path,
                     subcommands.empty() ? "unexpected argument" : "unknown command", extras.front(),
                     did_you_mean(extras.front(), subcommands), path);
}

void parse_words(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  app.parse(std::move(words));
}

// Parses the command line, then again with what its --config file has besides, behind the verb.
void parse_arguments(CLI::App& app, std::vector<std::string> words, ConfigArguments& config) {
  try {
    parse_words(app, words);
  } catch (const CLI::RequiredError&) {  // the file may have what is missing
    config = config_arguments(parsed_app(app));
    if (config.path.empty()) throw;
  }
  if (config.path.empty()) config = config_arguments(parsed_app(app));
  if (config.path.empty()) return;
  words.insert(words.begin() + 1, config.arguments.begin(), config.arguments.end());
  parse_words(app, words);
}

// "--limit needs a value", "TASKS is required": CLI11's words but for those that count arguments.
std::string parse_message(const CLI::App& command, const CLI::ParseError& error) {
  std::string message = error.what();
  if (message.find(" required ") != std::string::npos && message.ends_with(" missing"))
    return message.substr(0, message.find(':')) + " needs a value";
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_positional() && message == option->get_name() + " is required")
      return option->get_type_name() + " is required";
  }
  return message;
}

// What a wrong value is told of: the file that has it, else the command.
std::string place_of(const std::string& message, const CLI::App& command, const ConfigArguments& config) {
  const bool from_file = std::any_of(config.flags.begin(), config.flags.end(), [&](const std::string& flag) {
    return message.starts_with(flag + ":");
  });
  return from_file ? config.path : full_name(command);
}

int report_file_error(const std::filesystem::filesystem_error& error) {
  const std::string path = error.path2().empty() ? error.path1().string() : error.path2().string();
  return report_error(fmt::format("{}: {}; see that the path is right and that you may read and write there",
                                  path, error.code().message()),
                      ExitCode::kCannotRun);
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
  ConfigArguments config;
  try {
    parse_arguments(app, {argv + 1, argv + argc}, config);
  } catch (const CLI::Success& request) {  // --help, --version
    return app.exit(request);
  } catch (const CLI::ParseError& error) {
    const std::string unexpected = unexpected_word(app, config);
    const CLI::App& command = parsed_app(app);
    if (!unexpected.empty()) return report_error(unexpected, ExitCode::kCannotRun);
    const std::string message = parse_message(command, error);
    return report_error(fmt::format("{}: {}; see `{} --help`", place_of(message, command, config), message,
                                    full_name(command)),
                        ExitCode::kCannotRun);
  }
  if (const std::string unexpected = unexpected_word(app, config); !unexpected.empty()) {
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
  } catch (const std::filesystem::filesystem_error& error) {
    return micius::report_file_error(error);
  } catch (const std::exception& error) {
    return micius::report_error(fmt::format("internal error: {}", error.what()),
                                micius::ExitCode::kCannotRun);
  }
}
