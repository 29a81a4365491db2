#include "base/error.h"
#include "base/files.h"
#include "base/text.h"
#include "nl2kql.h"

namespace micius::aimicius::nl2kql {
namespace {

constexpr std::size_t kFamilies = 9, kFewestFrames = 2;
constexpr int kFirstTestOnly = 7;

// "$fabric.SyslogData" -> cluster("fleetnet").database('fabric').SyslogData; a stage a line.
std::string written_out(const std::string& text, const Catalog& catalog, const std::string& where) {
  std::string query;
  char quote = 0;
  int depth = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (quote != 0) {
      query += c;
      if (c == quote) quote = 0;
      continue;
    }
    if (c == '"' || c == '\'') quote = c;
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c == '|' && depth == 0) {
      query.back() = '\n';
    } else if (c == ' ' && depth == 0 && at > 0 && text[at - 1] == ';') {
      query += '\n';
      continue;
    } else if (c == '$' && text.compare(at, 6, "$left.") != 0 && text.compare(at, 7, "$right.") != 0) {
      const std::size_t dot = text.find('.', at), end = text.find_first_of(" ,)|;", dot);
      const std::string database = text.substr(at + 1, dot - at - 1),
                        name = text.substr(dot + 1, end - dot - 1);
      const Table* table = catalog.table(database, name);
      if (table == nullptr) fail(ErrorCode::kInvalidData, "{}: no table {}.{}", where, database, name);
      query += table->source();
      at = std::min(end, text.size()) - 1;
      continue;
    }
    query += c;
  }
  return query;
}

void read_families(const JsonFields& file, const Intents& intents, std::vector<Family>& families) {
  std::map<std::string, std::size_t> counts;
  for (const Json& item : file.at("families")) {
    const JsonFields f(item, file.where() + ": families");
    Family family;
    family.id = f.string("id");
    const std::size_t slash = family.id.find("/p");
    if (slash == std::string::npos) fail(ErrorCode::kInvalidData, "{}: id must be INTENT/pN", f.where());
    family.group = family.id.substr(0, slash);
    family.number = std::stoi(family.id.substr(slash + 2));
    family.voice = f.string("voice");
    family.frames = f.strings_or("frames", {});
    if (family.frames.empty() || (family.number < kFirstTestOnly && family.frames.size() < kFewestFrames))
      fail(ErrorCode::kInvalidData, "{}: {} has too few frames", f.where(), family.id);
    ++counts[family.group];
    families.push_back(std::move(family));
  }
  for (const Intent& intent : intents.intents) {
    if (counts[intent.name] != kFamilies)
      fail(ErrorCode::kInvalidData, "{}: intent '{}' needs {} families", file.where(), intent.name,
           kFamilies);
  }
}

}  // namespace

KqlSources KqlSources::read(const std::filesystem::path& folder) {
  KqlSources sources;
  sources.catalog = Catalog::read(folder / "catalog.json");
  sources.intents = Intents::read(folder / "intents.json");
  const std::string where = (folder / "phrasings.json").string();
  const Json phrasings = parse_json(read_file(where), where);
  const JsonFields file(phrasings, where);
  if (file.integer("micius_nl2kql_phrasings") != 1)
    fail(ErrorCode::kInvalidData, "{}: unknown version", where);
  read_families(file, sources.intents, sources.families);
  sources.contexts = file.strings_or("contexts", {});
  const std::filesystem::path curated = folder / "curated.jsonl";
  for_each_line(read_file(curated), [&](std::string_view line, std::size_t number) {
    const std::string at = fmt::format("{}:{}", curated.string(), number);
    const Json json = parse_json(line, at);
    const JsonFields f(json, at);
    sources.curated.push_back({f.string("question"), written_out(f.string("query"), sources.catalog, at)});
  });
  return sources;
}

}  // namespace micius::aimicius::nl2kql
