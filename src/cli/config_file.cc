#include "cli/config_file.h"

#include <algorithm>
#include <utility>

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace micius {
namespace {

// A flag or, by its bare name, a positional of the command; null where it has neither.
const CLI::Option* find_option(const CLI::App& command, const std::string& name) {
  const CLI::Option* flag = command.get_option_no_throw("--" + name);
  return flag != nullptr ? flag : command.get_option_no_throw(name);
}

// On the command line itself: a value of the environment counts less than the file.
bool is_given(const CLI::App& command, const CLI::Option* option) {
  const std::vector<CLI::Option*>& given = command.parse_order();
  return std::find(given.begin(), given.end(), option) != given.end();
}

// One value as the command line has it.
std::string value_text(const CLI::Option* option, const Json& value, const std::string& where) {
  if (auto text = scalar_text(value)) return *std::move(text);
  if (value.is_object() && option != nullptr && option->get_type_name() == "JSON") return dump_json(value);
  fail(ErrorCode::kUsage, "{}: expected text, a number, true or false, found {}", where, value.type_name());
}

void append_value(std::vector<std::string>& out, const CLI::Option* option, const std::string& name,
                  const Json& value, const std::string& where) {
  const bool pairs = option != nullptr && option->get_type_name() == "KEY=VALUE";
  if (value.is_array()) {
    for (const Json& item : value) append_value(out, option, name, item, where);
  } else if (value.is_object() && pairs) {
    for (const auto& [key, item] : value.items())
      out.push_back("--" + name + "=" + key + "=" + value_text(option, item, where));
  } else if (value.is_boolean() && !pairs) {
    if (value.get<bool>()) out.push_back("--" + name);
  } else if (option != nullptr && option->get_positional()) {
    out.push_back(value_text(option, value, where));
  } else {
    out.push_back("--" + name + "=" + value_text(option, value, where));
  }
}

}  // namespace

ConfigArguments config_arguments(const CLI::App& command) {
  const CLI::Option* flag = command.get_option_no_throw("--config");
  if (flag == nullptr || flag->count() == 0) return {};
  ConfigArguments result;
  result.path = flag->results().front();
  const Json config = parse_json(read_file(result.path), result.path);
  if (!config.is_object()) fail(ErrorCode::kUsage, "{}: expected an object of flags", result.path);
  for (const auto& item : config.items()) {
    const CLI::Option* option = find_option(command, item.key());
    if (option != nullptr && is_given(command, option)) continue;
    append_value(result.arguments, option, item.key(), item.value(),
                 result.path + ": field '" + item.key() + "'");
    result.flags.push_back("--" + item.key());
  }
  return result;
}

}  // namespace micius
