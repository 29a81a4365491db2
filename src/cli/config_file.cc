#include "cli/config_file.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cli/flags.h"

namespace micius {
namespace {

// Null where the command has no flag and no positional of that name.
const ParsedFlag* find_flag(const std::vector<ParsedFlag>& flags, const std::string& name) {
  const auto found =
      std::find_if(flags.begin(), flags.end(), [&](const ParsedFlag& flag) { return flag.name == name; });
  return found == flags.end() ? nullptr : &*found;
}

// One value as the command line has it.
std::string value_text(const ParsedFlag* flag, const Json& value, const std::string& where) {
  if (auto text = scalar_text(value)) return *std::move(text);
  if (value.is_object() && flag != nullptr && flag->type == "JSON") return dump_json(value);
  fail(ErrorCode::kUsage, "{}: expected text, a number, true or false, found {}", where, value.type_name());
}

void append_value(std::vector<std::string>& out, const ParsedFlag* flag, const std::string& name,
                  const Json& value, const std::string& where) {
  const bool pairs = flag != nullptr && flag->type == "KEY=VALUE";
  if (value.is_array()) {
    for (const Json& item : value) append_value(out, flag, name, item, where);
  } else if (value.is_object() && pairs) {
    for (const auto& [key, item] : value.items())
      out.push_back("--" + name + "=" + key + "=" + value_text(flag, item, where));
  } else if (value.is_boolean() && !pairs) {
    if (value.get<bool>()) out.push_back("--" + name);
  } else if (flag != nullptr && flag->is_positional) {
    out.push_back(value_text(flag, value, where));
  } else {
    out.push_back("--" + name + "=" + value_text(flag, value, where));
  }
}

}  // namespace

ConfigArguments config_arguments(const Flags& command) {
  const std::vector<ParsedFlag> flags = command.parsed();
  const ParsedFlag* file = find_flag(flags, "config");
  if (file == nullptr || file->values.empty()) return {};
  ConfigArguments result;
  result.path = file->values.front();
  const Json config = parse_json(read_file(result.path), result.path);
  if (!config.is_object()) fail(ErrorCode::kUsage, "{}: expected an object of flags", result.path);
  for (const auto& item : config.items()) {
    const ParsedFlag* flag = find_flag(flags, item.key());
    if (flag != nullptr && flag->is_given) continue;  // the environment counts less than the file
    append_value(result.arguments, flag, item.key(), item.value(),
                 result.path + ": field '" + item.key() + "'");
    result.flags.push_back("--" + item.key());
  }
  return result;
}

}  // namespace micius
