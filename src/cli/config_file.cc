#include "cli/config_file.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"

namespace micius {
namespace {

bool is_set(const std::vector<std::string>& arguments, const std::string& flag) {
  return std::any_of(arguments.begin(), arguments.end(), [&](const std::string& argument) {
    return argument == flag || argument.rfind(flag + "=", 0) == 0;
  });
}

std::string value_text(const Json& value, const std::string& where) {
  if (auto text = scalar_text(value)) return *std::move(text);
  fail(ErrorCode::kUsage, "{}: expected text, a number, true or false, found {}", where, value.type_name());
}

void append_flag(std::vector<std::string>& out, const std::string& flag, const Json& value,
                 const std::string& where) {
  if (value.is_array()) {
    for (const Json& item : value) append_flag(out, flag, item, where);
  } else if (value.is_boolean()) {
    if (value.get<bool>()) out.push_back(flag);
  } else if (flag == "--tasks") {
    out.push_back(value_text(value, where));
  } else {
    out.push_back(flag + "=" + value_text(value, where));
  }
}

}  // namespace

ExpandedArguments expand_config_file(std::vector<std::string> arguments) {
  const auto at = std::find_if(arguments.begin(), arguments.end(), [](const std::string& argument) {
    return argument == "--config" || argument.rfind("--config=", 0) == 0;
  });
  if (at == arguments.end()) return {std::move(arguments), "", {}};
  const bool joined = *at != "--config";
  if (!joined && at + 1 == arguments.end()) fail(ErrorCode::kUsage, "--config needs a file");
  const std::string path = joined ? at->substr(std::string("--config=").size()) : *(at + 1);
  arguments.erase(at, at + (joined ? 1 : 2));

  const Json config = parse_json(read_file(path), path);
  if (!config.is_object()) fail(ErrorCode::kUsage, "{}: expected an object of flags", path);
  ExpandedArguments expanded{std::move(arguments), path, {}};
  for (const auto& item : config.items()) {
    const std::string flag = "--" + item.key();
    if (is_set(expanded.arguments, flag)) continue;
    append_flag(expanded.arguments, flag, item.value(), path + ": field '" + item.key() + "'");
    expanded.flags.push_back(flag);
  }
  return expanded;
}

}  // namespace micius
