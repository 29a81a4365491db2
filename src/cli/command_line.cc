#include "cli/command_line.h"

#include <algorithm>
#include <sstream>
#include <utility>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "base/error.h"
#include "base/text.h"
#include "base/variable.h"
#include "cli/config_file.h"
#include "cli/environment.h"
#include "cli/flags.h"

namespace micius {
namespace {

// The command that was being parsed: the deepest one named.
CLI::App& parsed_app(CLI::App& app) {
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

// Throws for the first word that no command expected.
void check_no_word_is_left(CLI::App& app, const ConfigArguments& config) {
  std::vector<std::string> extras = app.remaining(true);
  std::erase(extras, "--");  // behind it no word is a flag
  if (extras.empty()) return;
  const CLI::App& command = parsed_app(app);
  const std::string path = full_name(command);
  if (extras.front().starts_with("-")) {
    const auto with_value = read_variable(extras.front());
    const std::string flag(with_value ? with_value->name : extras.front());
    const bool from_file = std::find(config.flags.begin(), config.flags.end(), flag) != config.flags.end();
    fail(ErrorCode::kUsage, "{}: unknown flag '{}'{}; see `{} --help`", from_file ? config.path : path, flag,
         did_you_mean(flag, flags_of(command)), path);
  }
  const std::vector<std::string> subcommands = commands_of(command);
  fail(ErrorCode::kUsage, "{}: {} '{}'{}; see `{} --help`", path,
       subcommands.empty() ? "unexpected argument" : "unknown command", extras.front(),
       did_you_mean(extras.front(), subcommands), path);
}

void parse_words(CLI::App& app, std::vector<std::string> words) {
  std::reverse(words.begin(), words.end());  // as CLI11 takes them
  app.parse(std::move(words));
}

// Parses the command line, then again with what its --config file has besides, behind the verb.
void parse_with_file(CLI::App& app, std::vector<std::string> words, ConfigArguments& config) {
  try {
    parse_words(app, words);
  } catch (const CLI::RequiredError&) {  // the file may have what is missing
    config = config_arguments(Flags(parsed_app(app)));
    if (config.path.empty()) throw;
  }
  if (config.path.empty()) config = config_arguments(Flags(parsed_app(app)));
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

}  // namespace

CommandLine::CommandLine(const std::vector<std::unique_ptr<Command>>& commands)
    : commands_(commands),
      app_(std::make_unique<CLI::App>("System-domain evaluation of language models", "micius")) {
  app_->set_version_flag("--version", "micius " + version_text());
  app_->require_subcommand(1);
  app_->allow_extras();
  for (const auto& command : commands) {
    Flags flags(*app_->add_subcommand(command->name(), command->summary()));
    command->define(flags);
  }
}

CommandLine::~CommandLine() = default;

CommandRequest CommandLine::parse(const std::vector<std::string>& words) {
  ConfigArguments config;
  try {
    parse_with_file(*app_, words, config);
  } catch (const CLI::Success& request) {  // --help, --version
    std::ostringstream text;
    app_->exit(request, text, text);
    return {nullptr, text.str()};
  } catch (const CLI::ParseError& error) {
    check_no_word_is_left(*app_, config);
    const CLI::App& command = parsed_app(*app_);
    const std::string message = parse_message(command, error);
    fail(ErrorCode::kUsage, "{}: {}; see `{} --help`", place_of(message, command, config), message,
         full_name(command));
  }
  check_no_word_is_left(*app_, config);
  const std::string name = app_->get_subcommands().front()->get_name();  // the parse requires one
  const auto named = std::find_if(commands_.begin(), commands_.end(),
                                  [&](const auto& command) { return command->name() == name; });
  return {named->get(), ""};
}

}  // namespace micius
