#include "cmdgen_sources.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files.h"

namespace micius::aimicius {
namespace {

namespace fs = std::filesystem;

CommandOption read_option(const Json& json, const std::string& where) {
  static const std::set<std::string> kKinds = {"switch", "fixed",    "choice", "pair",     "gpu",      "gpus",
                                               "fields", "size-one", "env",    "redirect", "gpu-count"};
  const JsonFields fields(json, where);
  fields.only({"flags", "kind", "say", "values", "fields", "least", "most", "need", "held", "glue", "join",
               "long_join", "value", "span", "place"});
  CommandOption option;
  option.flags = fields.strings_or("flags", {});
  option.kind = fields.string("kind");
  if (kKinds.count(option.kind) == 0)
    fail(ErrorCode::kInvalidData, "{}: unknown kind '{}'", where, option.kind);
  option.say = fields.strings_or("say", {});
  if (fields.has("values")) option.values = fields.at("values").get<std::vector<std::vector<std::string>>>();
  if (fields.has("fields"))
    option.fields = fields.at("fields").get<std::vector<std::pair<std::string, std::string>>>();
  option.least = static_cast<std::size_t>(fields.integer_or("least", 1));
  option.most = static_cast<std::size_t>(fields.integer_or("most", 1));
  option.need = fields.boolean_or("need", false) || option.kind == "fixed";
  if (!option.say.empty() && option.kind == "fixed") option.need = fields.boolean_or("need", false);
  option.held = fields.boolean_or("held", false);
  option.glue = fields.boolean_or("glue", false);
  option.join = fields.string_or("join", " ");
  option.long_join = fields.string_or("long_join", option.join);
  option.value = fields.string_or("value", "");
  return option;
}

CommandCombo read_combo(const Json& json, const JsonFields& shared, const std::string& where) {
  const JsonFields fields(json, where);
  fields.only({"key", "group", "platform", "intent", "command", "long_command", "sudo", "fails", "do", "noun",
               "why", "profiles", "tags", "most", "then", "options"});
  CommandCombo combo;
  combo.key = fields.string("key");
  combo.group = fields.string("group");
  combo.platform = fields.string("platform");
  combo.intent = fields.string("intent");
  combo.command = fields.string("command");
  combo.long_command = fields.string_or("long_command", combo.command);
  combo.sudo = fields.boolean_or("sudo", false);
  combo.fails = fields.boolean_or("fails", false);
  combo.verbs = fields.strings_or("do", {});
  combo.nouns = fields.strings_or("noun", {});
  combo.whys = fields.strings_or("why", {});
  if (combo.verbs.empty() || combo.nouns.empty() || combo.whys.empty())
    fail(ErrorCode::kInvalidData, "{}: {}: 'do', 'noun' and 'why' must not be empty", where, combo.key);
  combo.profiles = fields.strings_or("profiles", {});
  combo.tags = fields.strings_or("tags", {});
  combo.most = static_cast<std::size_t>(fields.integer_or("most", 3));
  if (fields.has("then")) {
    const JsonFields then = fields.object("then");
    combo.then = then.string("command");
    combo.then_say = then.strings_or("say", {});
  }
  for (const Json& option : fields.at("options"))
    combo.options.push_back(read_option(option.is_string() ? shared.at(option.get<std::string>()) : option,
                                        where + ": " + combo.key));
  return combo;
}

}  // namespace

CommandSources CommandSources::read(const fs::path& folder) {
  CommandSources sources;
  const std::string where = (folder / "combos.json").string();
  const Json file = parse_json(read_file(where), where);
  const JsonFields fields(file, where);
  std::set<std::string> keys;
  for (const Json& row : fields.at("combos")) {
    sources.combos.push_back(read_combo(row, fields.object("options"), where));
    if (!keys.insert(sources.combos.back().key).second)
      fail(ErrorCode::kInvalidData, "{}: two combos have the key '{}'", where, sources.combos.back().key);
  }
  const std::string how = (folder / "phrasings.json").string();
  const Json phrasings = parse_json(read_file(how), how);
  const JsonFields rows(phrasings, how);
  for (const Json& row : rows.at("families")) {
    const JsonFields one(row, how);
    Family family;
    family.id = one.string("id");
    family.group = family.id.substr(0, family.id.find('/'));
    family.number = family.id.back() - '0';
    family.voice = one.string("voice");
    family.frames = one.strings_or("frames", {});
    if (family.frames.size() < 4)
      fail(ErrorCode::kInvalidData, "{}: {}: fewer than 4 frames", how, family.id);
    sources.families.push_back(std::move(family));
  }
  sources.long_style = rows.strings_or("long", {});
  sources.others = rows.at("others").get<std::map<std::string, std::vector<std::string>>>();
  for (const Json& row : rows.at("curated")) {
    const JsonFields one(row, how);
    one.only(
        {"platform", "group", "profile", "request", "reference", "accepted", "tags", "compare", "spans"});
    CuratedCommand curated{
        one.string("platform"),     one.string("group"),           one.string("profile"),
        one.string("request"),      one.string("reference"),       one.strings_or("accepted", {}),
        one.strings_or("tags", {}), one.strings_or("compare", {}), Json::object()};
    if (one.has("spans")) curated.spans = one.at("spans");
    sources.curated.push_back(std::move(curated));
  }
  return sources;
}

}  // namespace micius::aimicius
