#include "scorers/normal_form.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/error.h"
#include "base/text.h"
#include "base/variable.h"

namespace micius {
namespace {

constexpr int kMaxDepth = 6;  // sh -c in sh -c, sudo in sudo
// Exported variables times commands behind them: what export resolves to is that long.
constexpr std::size_t kMostExports = 10'000;

emu::Engine engine_named(const std::string& name, const std::string& where) {
  static const std::map<std::string, emu::Engine> kEngines = {{"nvidia", emu::Engine::kNvidia},
                                                              {"argparse", emu::Engine::kArgparse},
                                                              {"getopt", emu::Engine::kGetopt},
                                                              {"wrapper", emu::Engine::kWrapper},
                                                              {"knack", emu::Engine::kKnack}};
  const auto it = kEngines.find(name);
  if (it == kEngines.end()) fail(ErrorCode::kInvalidData, "{}: unknown engine '{}'", where, name);
  return it->second;
}

std::string base_name(const std::string& word) {
  const std::size_t slash = word.rfind('/');
  return slash == std::string::npos ? word : word.substr(slash + 1);
}

bool is_number(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// "128M" as bytes, "1.5G" too; absent for what is no size.
std::optional<std::string> bytes_of(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return std::nullopt;
  const std::string unit = lower_ascii(std::string_view(end, text.data() + text.size() - end));
  static const std::map<std::string, double> kUnits = {{"", 1},          {"k", 1024},       {"m", 1048576},
                                                       {"g", 1 << 30},   {"b", 1},          {"kb", 1024},
                                                       {"mb", 1048576.}, {"gb", 1073741824}};
  const auto it = kUnits.find(unit);
  if (it == kUnits.end() || number < 0 || number > 1e15) return std::nullopt;
  return fmt::format("{:.0f}", number * it->second);
}

// "1.0" is "1", "007" is "7".
std::string number_of(std::string text) {
  const std::size_t dot = text.find('.');
  const std::string whole = text.substr(0, dot);
  if (!is_number(whole)) return text;
  if (dot != std::string::npos && text.find_first_not_of('0', dot + 1) != std::string::npos) return text;
  const std::size_t first = std::min(whole.find_first_not_of('0'), whole.size() - 1);
  return whole.substr(first);
}

// A value list such as {"0", "DISABLED", "1", "ENABLED"} names each number once more.
std::string enum_of(const std::vector<std::string>& values, std::string value) {
  const std::string lower = lower_ascii(value);
  for (std::size_t i = 0; i + 1 < values.size(); i += 2) {
    if (!is_number(values[i]) || is_number(values[i + 1])) return value;
    if (lower == lower_ascii(values[i + 1])) return values[i];
  }
  return value;
}

std::vector<std::string> list_of(const std::string& value) {
  std::vector<std::string> parts;
  for (const std::string_view part : split(value, ',')) parts.emplace_back(strip(part));
  return parts;
}

// A word with what the shell would not expand behind backslashes, so that '$X' and $X stay two texts.
std::string shown(const ShellWord& word) {
  return word.expands ? word.value : replace_all(replace_all(word.value, "$", "\\$"), "`", "\\`");
}

std::string quoted(const std::string& text) {
  const bool plain = !text.empty() && text.find_first_of(" \t\n\"'|&;<>()") == std::string::npos;
  return plain ? text : "'" + replace_all(text, "'", "'\\''") + "'";
}

std::string redirections_of(const SimpleCommand& command) {
  std::string text;
  for (const Redirection& redirection : command.redirections) {
    const std::string target = quoted(shown(redirection.target));
    if (redirection.mark == "&>" || redirection.mark == "&>>") {
      text += " " + redirection.mark.substr(1) + " " + target + " 2>&1";
    } else if (redirection.mark == "2>&1" || redirection.mark == "1>&2") {
      text += " " + redirection.mark;
    } else {
      text += " " + redirection.mark + " " + target;
    }
  }
  return text;
}

// Moves `export A=1` in front of the commands behind it. False where that is too much.
bool resolve_exports(std::vector<Pipeline>& pipelines) {
  std::vector<std::pair<std::string, ShellWord>> exported;
  std::size_t moved = 0;
  std::vector<Pipeline> kept;
  for (std::size_t i = 0; i < pipelines.size(); ++i) {
    Pipeline& pipeline = pipelines[i];
    const SimpleCommand& first = pipeline.commands.front();
    const bool exports = pipeline.commands.size() == 1 && first.words.size() > 1 &&
                         first.words[0].value == "export" && first.redirections.empty() &&
                         i + 1 < pipelines.size() && pipelines[i + 1].joint != "||";
    if (exports) {
      for (std::size_t k = 1; k < first.words.size(); ++k) {
        const auto variable = read_variable(first.words[k].value);
        if (!variable) continue;
        ShellWord value = first.words[k];
        value.value = variable->value;
        exported.emplace_back(variable->name, std::move(value));
      }
      continue;
    }
    moved += exported.size() * pipeline.commands.size();
    if (moved > kMostExports) return false;
    for (SimpleCommand& command : pipeline.commands)
      command.assignments.insert(command.assignments.begin(), exported.begin(), exported.end());
    if (kept.empty()) pipeline.joint.clear();
    kept.push_back(std::move(pipeline));
  }
  pipelines = std::move(kept);
  return true;
}

// Opens `env A=1 X`.
void open_env(SimpleCommand& command) {
  if (command.words.size() < 2 || base_name(command.words[0].value) != "env") return;
  std::size_t at = 1;
  std::vector<std::pair<std::string, ShellWord>> found;
  for (; at < command.words.size(); ++at) {
    const auto variable = read_variable(command.words[at].value);
    if (!variable) break;
    ShellWord value = command.words[at];
    value.value = variable->value;
    found.emplace_back(variable->name, std::move(value));
  }
  if (at == command.words.size() || command.words[at].value.rfind('-', 0) == 0) return;
  command.words.erase(command.words.begin(), command.words.begin() + static_cast<std::ptrdiff_t>(at));
  command.assignments.insert(command.assignments.end(), found.begin(), found.end());
}

// "sh -c TEXT": the text.
std::optional<std::string> shell_script(const SimpleCommand& command) {
  const auto& words = command.words;
  if (words.size() != 3 || words[1].value != "-c" || words[2].expands) return std::nullopt;
  const std::string shell = base_name(words[0].value);
  if (shell != "sh" && shell != "bash") return std::nullopt;
  if (!command.assignments.empty() || !command.redirections.empty()) return std::nullopt;
  return words[2].value;
}

std::map<std::string, std::string> aliases_of(const Json& fields, const std::string& where) {
  std::map<std::string, std::string> aliases;
  for (const Json& field : fields) {
    const JsonFields row(field, where);
    for (const std::string& alias : row.strings_or("aliases", {})) aliases[alias] = row.string("name");
  }
  return aliases;
}

// "-O3" as "-O=3", unless the table has it as an option of its own.
std::vector<std::string> split_joined(std::vector<std::string> words, const emu::ToolSpec& tool,
                                      const std::vector<std::string>& joined) {
  for (std::string& word : words) {
    const auto fits = [&](const std::string& flag) {
      return word.size() > flag.size() && word.compare(0, flag.size(), flag) == 0 && word[flag.size()] != '=';
    };
    const std::string flag = word.substr(0, word.find('='));
    const auto it = std::find_if(joined.begin(), joined.end(), fits);
    if (it != joined.end() && tool.root.find(flag) == nullptr && tool.root.find(word) == nullptr)
      word = *it + "=" + word.substr(it->size());
  }
  return words;
}

}  // namespace

NormalForms::NormalForms(const emu::Catalog& catalog, const Json& rules, const std::string& where)
    : catalog_(catalog) {
  const JsonFields file(rules, where);
  for (const auto& [name, json] : file.at("programs").items()) {
    const JsonFields fields(json, where + ": programs." + name);
    fields.only({"table", "nvidia", "amd", "engine"});
    Program program;
    program.engine = engine_named(fields.string("engine"), fields.where());
    for (const char* key : {"table", "nvidia", "amd"}) {
      if (!fields.has(key)) continue;
      const std::string table = fields.string(key);
      catalog.tool(table);
      program.table[key == std::string("table") ? "" : key] = table;
    }
    programs_[name] = std::move(program);
    names_.insert(name);
  }
  for (const std::string& name : file.strings_or("commands", {})) names_.insert(name);
  for (const auto& [table, json] : file.at("options").items()) {
    const JsonFields fields(json, where + ": options." + table);
    fields.only({"sizes", "sets", "joined", "defaults", "fields", "same"});
    OptionRules& out = options_[table];
    for (const std::string& name : fields.strings_or("sizes", {})) out.sizes.insert(name);
    for (const std::string& name : fields.strings_or("sets", {})) out.sets.insert(name);
    out.joined = fields.strings_or("joined", {});
    if (fields.has("defaults"))
      out.defaults = fields.at("defaults").get<std::map<std::string, std::string>>();
    if (fields.has("fields"))
      for (const auto& [option, list] : fields.at("fields").items())
        out.aliases[option] =
            aliases_of(catalog.tool(table).facts.at(list.get<std::string>()), fields.where());
    if (fields.has("same"))
      for (const Json& row : fields.at("same")) out.same[{row.at(0), row.at(1)}] = row.at(2);
  }
}

std::string NormalForms::value_of(const emu::OptionSpec& option, std::string value,
                                  const OptionRules& rules) const {
  value = number_of(enum_of(option.values, std::move(value)));
  if (rules.sizes.count(option.name) != 0) return bytes_of(value).value_or(value);
  const auto aliases = rules.aliases.find(option.name);
  const bool set = rules.sets.count(option.name) != 0;
  if (aliases == rules.aliases.end() && !set) return value;
  std::vector<std::string> parts = list_of(value);
  if (aliases != rules.aliases.end()) {
    for (std::string& part : parts)
      if (const auto it = aliases->second.find(part); it != aliases->second.end()) part = it->second;
  }
  if (set) {
    std::sort(parts.begin(), parts.end());
    parts.erase(std::unique(parts.begin(), parts.end()), parts.end());
  }
  return join(parts, ",");
}

std::optional<NormalForms::Item> NormalForms::item(const emu::Given& given, const OptionRules& rules) const {
  const emu::OptionSpec& option = *given.option;
  std::vector<std::string> values;
  for (const std::string& value : given.values) values.push_back(value_of(option, value, rules));
  if (rules.sets.count(option.name) != 0) std::sort(values.begin(), values.end());
  const std::string text = join(values, " ");
  if (const auto it = rules.same.find({option.name, text}); it != rules.same.end())
    return Item{it->second, ""};
  if (const auto it = rules.defaults.find(option.name); it != rules.defaults.end()) {
    const std::string normal = value_of(option, it->second, rules);
    if (normal == text) return std::nullopt;
  }
  return Item{option.name, option.is_switch() ? "" : "=" + quoted(text)};
}

const NormalForms::OptionRules& NormalForms::rules_of(const std::string& table) const {
  static const OptionRules kNone;
  const auto found = options_.find(table);
  return found == options_.end() ? kNone : found->second;
}

std::string NormalForms::words(const std::vector<std::string>& all, std::string_view platform,
                               int depth) const {
  if (all.empty()) return "";
  const std::string name = base_name(all[0]);
  const std::vector<std::string> rest(all.begin() + 1, all.end());
  if (name == "sudo" && depth < kMaxDepth) return "sudo " + words(rest, platform, depth + 1);
  const auto known = programs_.find(name);
  const auto plain = [&] {
    std::string text = quoted(names_.count(name) != 0 ? name : all[0]);
    for (const std::string& word : rest) text += " " + quoted(word);
    return text;
  };
  if (known == programs_.end()) return plain();
  const auto& tables = known->second.table;
  auto table = tables.find(std::string(platform));
  if (table == tables.end()) table = tables.find("");
  if (table == tables.end()) return plain();
  const OptionRules& rules = rules_of(table->second);
  const emu::ToolSpec& tool = catalog_.tool(table->second);
  const emu::Parsed parsed =
      emu::parse_options(tool, known->second.engine, split_joined(rest, tool, rules.joined));
  if (parsed.problem != emu::Problem::kNone) return plain();
  std::vector<Item> items;
  for (const emu::Given& given : parsed.options)
    if (auto one = item(given, rules)) items.push_back(*std::move(one));
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.first < b.first; });
  std::string text = name + (parsed.path.empty() ? "" : " " + parsed.path);
  for (const Item& one : items) text += " " + one.first + one.second;
  if (known->second.engine == emu::Engine::kWrapper && depth < kMaxDepth && !parsed.words.empty())
    return text + " -- " + words(parsed.words, platform, depth + 1);
  for (const std::string& word : parsed.words) text += " " + quoted(word);
  return text;
}

std::string NormalForms::simple(const SimpleCommand& command, std::string_view platform, int depth) const {
  std::map<std::string, std::string> assignments;  // of several for one name the last counts
  for (const auto& [name, value] : command.assignments) assignments[name] = quoted(shown(value));
  std::string text;
  for (const auto& [name, value] : assignments) text += name + "=" + value + " ";
  std::vector<std::string> all;
  for (const ShellWord& word : command.words) all.push_back(shown(word));
  text += words(all, platform, depth) + redirections_of(command);
  return std::string(strip(text));
}

std::optional<std::string> NormalForms::read(std::string_view command, std::string_view platform,
                                             int depth) const {
  auto pipelines = read_shell(command);
  if (!pipelines || !resolve_exports(*pipelines)) return std::nullopt;
  std::string text;
  for (Pipeline& pipeline : *pipelines) {
    if (!pipeline.joint.empty()) text += " " + pipeline.joint + " ";
    for (std::size_t i = 0; i < pipeline.commands.size(); ++i) {
      SimpleCommand& one = pipeline.commands[i];
      open_env(one);
      if (i > 0) text += " | ";
      const auto script = shell_script(one);
      const auto opened = script && depth < kMaxDepth ? read(*script, platform, depth + 1) : std::nullopt;
      text += opened ? *opened : simple(one, platform, depth);
    }
  }
  return text;
}

std::optional<std::string> NormalForms::of(std::string_view command, std::string_view platform) const {
  return read(command, platform, 0);
}

}  // namespace micius
