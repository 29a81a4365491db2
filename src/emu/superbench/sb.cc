#include "emu/superbench/sb.h"

#include <algorithm>

#include "base/text.h"
#include "emu/regex.h"
#include "emu/superbench/sb_internal.h"

namespace micius::emu {
namespace superbench {

int fail(Host& host, const std::string& message) {
  host.print_error("{}\n", message);
  return 1;
}

namespace {

void print_yaml(Host& host, const Json& value, std::size_t indent) {
  if (value.is_object()) {
    for (const auto& [key, item] : value.items()) {
      const bool inner = item.is_structured() && !item.empty();
      host.print("{:{}}{}:{}", "", indent, key, inner ? "\n" : " " + scalar_text(item).value_or("{}") + "\n");
      if (inner) print_yaml(host, item, indent + 2);
    }
  } else if (value.is_array()) {
    for (const Json& item : value)
      host.print("{:{}}- {}\n", "", indent, scalar_text(item).value_or(dump_json(item)));
  } else {
    host.print("{}\n...\n", scalar_text(value).value_or("null"));
  }
}

void print_table(Host& host, const Json& value) {
  std::vector<std::string> rows;
  if (value.is_array())
    for (const Json& item : value) rows.push_back(scalar_text(item).value_or(dump_json(item)));
  else if (value.is_object())
    for (const auto& [key, item] : value.items())
      rows.push_back(key + "  " + scalar_text(item).value_or("..."));
  else
    rows.push_back(scalar_text(value).value_or(""));
  std::size_t width = 6;
  for (const std::string& row : rows) width = std::max(width, row.size());
  host.print("Result\n{}\n", std::string(width, '-'));
  for (const std::string& row : rows) host.print("{}\n", row);
}

}  // namespace

int print(const Command& command, const Json& result) {
  Host& host = command.host;
  const std::string form = command.parsed.value_or("--output", "json");
  if (form == "json" || form == "jsonc")
    host.print("{}\n", result.dump(2, ' ', false, Json::error_handler_t::replace));
  else if (form == "yaml" || form == "yamlc")
    print_yaml(host, result, 0);
  else if (form == "table")
    print_table(host, result);
  else if (form == "tsv") {
    if (!result.is_array())
      host.print("{}\n", scalar_text(result).value_or(dump_json(result)));
    else
      for (const Json& item : result) host.print("{}\n", scalar_text(item).value_or(dump_json(item)));
  }
  return 0;
}

const std::string* need_file(const Command& command, const char* option, const char* name) {
  const std::string path = command.parsed.value_or(option, "");
  const std::string* content = command.host.file(path);
  if (content == nullptr)
    fail(command.host, fmt::format("{} {} does not exist.", name, shorten(to_valid_utf8(path), 200)));
  return content;
}

std::string output_folder(const Command& command) {
  return command.parsed.value_or("--output-dir", "outputs/" + command.host.time("%Y-%m-%d_%H-%M-%S"));
}

int benchmarks(const Command& command) {
  Host& host = command.host;
  const Json& facts = host.tool("sb").facts;
  const std::string pattern = command.parsed.value_or("--name", ".*");
  std::vector<std::string> names;
  for (const Json& name : facts["benchmarks"]) {
    const auto matches = matches_regex(pattern, name.get_ref<const std::string&>());
    if (!matches)
      return fail(host, fmt::format("Invalid regular expression {}.", shorten(to_valid_utf8(pattern), 200)));
    if (*matches) names.push_back(name);
  }
  if (names.empty())
    return fail(host, fmt::format("Benchmark {} does not exist.", shorten(to_valid_utf8(pattern), 200)));
  if (command.parsed.path == "benchmark list") return print(command, Json(names));
  for (const std::string& name : names) {
    host.print("=== {} ===\n\noptional arguments:\n", name);
    const auto found = facts["benchmark_parameters"].find(name);
    Json defaults = Json::object();
    if (found != facts["benchmark_parameters"].end())
      for (const Json& parameter : *found) {
        const std::string flag = parameter["flags"][0];
        host.print("  {}{}\n", flag,
                   parameter["type"].is_null() ? "" : " " + parameter["type"].get<std::string>());
        if (!parameter["default"].is_null()) defaults[flag.substr(2)] = parameter["default"];
      }
    host.print("\ndefault values:\n{}\n\n", dump_json(defaults));
  }
  return 0;
}

namespace {

int problem(Host& host, const Parsed& parsed) {
  const std::string word = shorten(to_valid_utf8(parsed.culprit), 200);
  const std::string where = parsed.path.empty() ? "sb" : "sb " + parsed.path;
  switch (parsed.problem) {
    case Problem::kUnknownCommand:
      host.print_error("sb: '{}' is not in the 'sb' command group. See 'sb --help'.\n", word);
      break;
    case Problem::kMissingValue:
      host.print_error("{}: error: argument {}: expected one argument\n", where,
                       join(parsed.about->flags, "/"));
      break;
    case Problem::kBadChoice:
      host.print_error("{}: '{}' is not a valid value for '{}'. See '{} --help'.\n", where, word,
                       parsed.about->name, where);
      break;
    case Problem::kAmbiguous:
      host.print_error("{}: error: ambiguous option: {}\n", where, word);
      break;
    default:
      host.print_error("{}: error: unrecognized arguments: {}\n", where, word);
  }
  return 2;
}

int help(Host& host, const CommandSpec& spec) {
  host.print("\nCommand\n    {}\n\nArguments\n", spec.synopsis);
  for (const OptionSpec& option : spec.options)
    host.print("    {:<28}: {}\n", join(option.flags, " "), option.help);
  for (const CommandSpec& child : spec.subcommands)
    host.print("    {:<28}: {}\n", child.name, child.synopsis);
  return 0;
}

// What argparse wants and did not get; null if nothing.
const char* missing(const Parsed& parsed) {
  static constexpr std::pair<const char*, const char*> kRequired[] = {
      {"result diagnosis", "--baseline-file"},
      {"result diagnosis", "--data-file"},
      {"result diagnosis", "--rule-file"},
      {"result summary", "--data-file"},
      {"result summary", "--rule-file"},
      {"result generate-baseline", "--data-file"},
      {"result generate-baseline", "--summary-rule-file"}};
  for (const auto& [command, option] : kRequired)
    if (parsed.path == command && !parsed.has(option)) return option;
  return nullptr;
}

}  // namespace
}  // namespace superbench

int run_sb(Host& host, const Args& args) {
  using superbench::Command;
  const ToolSpec& tool = host.tool("sb");
  const Parsed parsed = parse_options(tool, Engine::kKnack, std::span(args).subspan(1));
  if (parsed.problem != Problem::kNone) return superbench::problem(host, parsed);
  if (parsed.has("--help") || parsed.has("-h")) return superbench::help(host, *parsed.command);
  if (parsed.path.empty()) {
    if (parsed.has("--version")) {
      host.print("{}\n", host.fact_or("packages.superbench", ""));
      return 0;
    }
    host.out("\nWelcome to the SB CLI!\n");
    return 0;
  }
  if (!parsed.words.empty()) {
    host.print_error("sb {}: error: unrecognized arguments: {}\n", parsed.path,
                     shorten(to_valid_utf8(parsed.words[0]), 200));
    return 2;
  }
  if (const char* option = superbench::missing(parsed)) {
    host.print_error("sb {}: error: the following arguments are required: {}\n", parsed.path, option);
    return 2;
  }
  const Command command{host, parsed};
  if (parsed.path == "version") return superbench::print(command, host.fact_or("packages.superbench", ""));
  if (parsed.path.rfind("benchmark", 0) == 0) return superbench::benchmarks(command);
  if (parsed.path == "deploy") return superbench::deploy(command);
  if (parsed.path == "run" || parsed.path == "exec") return superbench::run(command);
  if (parsed.path == "node info") return superbench::node_info(command);
  return superbench::results(command);
}

}  // namespace micius::emu
