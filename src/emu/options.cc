#include "emu/options.h"

#include <algorithm>

#include "base/error.h"
#include "base/text.h"

namespace micius::emu {
namespace {

// "X": one word; "[X]": none or one; "X..." at least one; "[X...]": any number; "A B": two words.
void read_arg(OptionSpec& option) {
  std::string arg = option.arg;
  if (arg.empty()) return;
  const bool many = arg.find("...") != std::string::npos && arg.find(",...") == std::string::npos;
  if (arg.front() == '[' && arg.back() == ']' && arg.find("[[") == std::string::npos &&
      arg.find("]:[") == std::string::npos) {
    option.max_values = many ? kMany : 1;
    return;
  }
  option.min_values = std::max<std::size_t>(1, split_words(arg).size());
  option.max_values = many ? kMany : option.min_values;
}

OptionSpec read_option(const Json& json, const std::string& where) {
  const JsonFields fields(json, where);
  OptionSpec option;
  for (std::string flag : fields.strings_or("flags", {})) {
    if (flag.size() > 1 && flag.back() == '=') flag.pop_back();
    option.flags.push_back(std::move(flag));
  }
  if (option.flags.empty()) fail(ErrorCode::kInvalidData, "{}: an option without flags", where);
  option.name = option.flags.front();
  option.arg = fields.has("arg") ? fields.string("arg") : "";
  option.help = fields.string_or("help", "");
  if (fields.has("values") && fields.at("values").is_array())
    for (const Json& value : fields.at("values"))
      option.values.push_back(scalar_text(value).value_or(std::string()));
  read_arg(option);
  return option;
}

CommandSpec read_command(const Json& json, const std::string& where, int depth) {
  if (depth > 4) fail(ErrorCode::kInvalidData, "{}: subcommands nested deeper than 4", where);
  CommandSpec command;
  const JsonFields fields(json, where);
  command.name = fields.string_or("name", fields.string_or("tool", ""));
  command.synopsis = fields.string_or("synopsis", "");
  if (fields.has("options"))
    for (const Json& option : fields.at("options")) command.options.push_back(read_option(option, where));
  if (fields.has("subcommands"))
    for (const Json& child : fields.at("subcommands"))
      command.subcommands.push_back(read_command(child, where + ".subcommands", depth + 1));
  return command;
}

}  // namespace

const OptionSpec* CommandSpec::find(std::string_view flag) const {
  for (const OptionSpec& option : options)
    if (std::find(option.flags.begin(), option.flags.end(), flag) != option.flags.end()) return &option;
  return nullptr;
}

const CommandSpec* CommandSpec::subcommand(std::string_view wanted) const {
  for (const CommandSpec& child : subcommands)
    if (child.name == wanted) return &child;
  return nullptr;
}

ToolSpec read_tool(const Json& json, const std::string& where) {
  ToolSpec tool;
  tool.root = read_command(json, where, 0);
  tool.version = JsonFields(json, where).string_or("version", "");
  tool.facts = json;
  return tool;
}

const Given* Parsed::find(std::string_view name) const {
  for (auto it = options.rbegin(); it != options.rend(); ++it)
    if (it->option->name == name) return &*it;
  return nullptr;
}

std::optional<std::string> Parsed::value(std::string_view name) const {
  const Given* given = find(name);
  if (given == nullptr || given->values.empty()) return std::nullopt;
  return given->values.front();
}

std::string Parsed::value_or(std::string_view name, std::string fallback) const {
  return value(name).value_or(std::move(fallback));
}

}  // namespace micius::emu
